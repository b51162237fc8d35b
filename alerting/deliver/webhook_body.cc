#include "alerting/deliver/webhook_body.h"

#include <algorithm>

#include "alerting/fingerprint.h"
#include "alerting/templates/go_time.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

void AppendLabels(text::JsonWriter& json, std::string_view key, const Labels& labels) {
  json.Key(key).BeginObject();
  for (const auto [name, value] : labels) json.Field(name, value);
  json.EndObject();
}

std::string TimeText(Timestamp time) {
  return templates::FormatTime(templates::Time::FromMilliseconds(time),
                               "2006-01-02T15:04:05.999999999Z07:00");
}

void AppendAlert(text::JsonWriter& json, const Alert& alert, Timestamp now) {
  const bool resolved = alert.ResolvedAt(now);
  json.BeginObject().Field("status", resolved ? "resolved" : "firing");
  AppendLabels(json, "labels", alert.labels);
  AppendLabels(json, "annotations", alert.annotations);
  json.Field("startsAt", TimeText(alert.starts_at));
  json.Field("endsAt", resolved ? TimeText(alert.ends_at) : "0001-01-01T00:00:00Z");
  json.Field("generatorURL", alert.generator_url);
  json.Field("fingerprint", FingerprintText(Fingerprint(alert.labels)));
  json.EndObject();
}

}  // namespace

std::string WebhookBody(const Notification& notification, const Message& message, std::size_t most,
                        std::string_view version) {
  const auto told = std::min(most, message.alerts().size());
  std::string out;
  text::JsonWriter json(out);
  json.BeginObject().Field("receiver", notification.receiver).Field("status", message.status());
  json.Key("alerts").BeginArray();
  for (std::size_t i = 0; i < told; ++i) AppendAlert(json, message.alerts()[i], notification.now);
  json.EndArray();
  AppendLabels(json, "groupLabels", notification.group_labels);
  AppendLabels(json, "commonLabels", notification.common_labels);
  AppendLabels(json, "commonAnnotations", notification.common_annotations);
  json.Field("externalURL", notification.external_url).Field("version", version);
  json.Field("groupKey", notification.group_key);
  json.Key("truncatedAlerts").Integer(static_cast<std::int64_t>(message.alerts().size() - told));
  json.Field("notification_reason", notification.reason).EndObject();
  return out += '\n';
}

}  // namespace vigia::alerting::deliver
