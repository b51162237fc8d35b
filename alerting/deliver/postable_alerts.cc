#include "alerting/deliver/postable_alerts.h"

#include "alerting/templates/go_time.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

std::string TimeText(Timestamp time) {
  return templates::FormatTime(templates::Time::FromMilliseconds(time),
                               "2006-01-02T15:04:05.999999999Z07:00");
}

void AppendLabels(text::JsonWriter& json, std::string_view key, const Labels& labels) {
  json.Key(key).BeginObject();
  for (const auto [name, value] : labels) json.Field(name, value);
  json.EndObject();
}

}  // namespace

std::string PostableAlerts(std::span<const Alert> alerts) {
  std::string out;
  text::JsonWriter json(out);
  json.BeginArray();
  for (const auto& alert : alerts) {
    json.BeginObject();
    AppendLabels(json, "labels", alert.labels);
    AppendLabels(json, "annotations", alert.annotations);
    // Both: with an end alone an Alertmanager takes it for the start, too.
    json.Field("startsAt", TimeText(alert.starts_at));
    json.Field("endsAt", TimeText(std::max(alert.ends_at, alert.starts_at)));
    json.Field("generatorURL", alert.generator_url).EndObject();
  }
  json.EndArray();
  return out;
}

}  // namespace vigia::alerting::deliver
