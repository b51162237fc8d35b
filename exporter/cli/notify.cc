#include "exporter/cli/notify.h"

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "alerting/fingerprint.h"
#include "core/http_client.h"
#include "core/number.h"
#include "exporter/cli/exit.h"
#include "exporter/config/alerting.h"

namespace vigia::exporter::cli {
namespace {

namespace deliver = alerting::deliver;
using nlohmann::json;

Result<Labels> ReadLabels(const std::vector<std::string>& texts) {
  LabelsBuilder builder;
  builder.Set("alertname", "Test").Set("severity", "warning").Set("instance", "test");
  for (const auto& text : texts) {
    const auto equals = text.find('=');
    if (equals == 0 || equals == text.npos) {
      return Fail(ErrorCode::kInvalid, "'" + text + "' is not a label: write key=value");
    }
    builder.Set(text.substr(0, equals), text.substr(equals + 1));
  }
  return builder.Build();
}

// The labels of the alert that an event of the journal happened to.
Result<Labels> LabelsOfEvent(const NotifyOptions& options) {
  const auto id = ParseUint(options.event);
  if (!id)
    return Fail(ErrorCode::kInvalid, "an event has a whole number: see /api/vigia/v1/events");
  const auto url = AddUrlParameters(options.url + "/api/vigia/v1/events",
                                    {{"before_id", std::to_string(*id + 1)}, {"limit", "1"}});
  if (!url) return Fail(url.error());
  const auto answer =
      HttpClient().Get(*url, Deadline::After(SystemClock(), std::chrono::seconds(30)));
  if (!answer) return Fail(answer.error().In(options.url));
  const auto body = json::parse(answer->body, nullptr, false);
  const auto& events = body.is_object() ? body.value("events", json::array()) : json::array();
  if (events.empty() || events[0].value("id", std::uint64_t{0}) != *id) {
    return Fail(ErrorCode::kInvalid, "there is no event " + options.event);
  }
  LabelsBuilder builder;
  for (const auto& [name, value] : events[0]["labels"].items()) {
    builder.Set(name, value.get<std::string>());
  }
  auto labels = builder.Build();
  if (labels.empty())
    return Fail(ErrorCode::kInvalid, "event " + options.event + " is of no alert");
  return labels;
}

deliver::Notification MakeNotification(const NotifyOptions& options,
                                       const alerting::dispatch::Plan& plan, const Labels& labels) {
  const Timestamp now = SystemClock().Wall();
  alerting::Alert alert{.labels = labels,
                        .annotations = {{"summary", "This is a test of receiver " +
                                                        options.receiver + ", not an alert."},
                                        {"description", "Sent by vigia notify test."}},
                        .starts_at = now - 60'000,
                        .ends_at = options.resolved ? now - 1 : now + 300'000};
  deliver::Notification out{.receiver = options.receiver,
                            .alerts = {alert},
                            .external_url = options.url,
                            .reason = "test",
                            .delivery_id = "test-" + std::to_string(now),
                            .now = now};
  const auto routes = plan.config.tree.Match(labels);
  if (!routes.empty()) out.group_labels = routes.front()->GroupLabels(labels);
  out.group_key = "{}/test:" + out.group_labels.ToString();
  out.common_labels = deliver::CommonLabels(out.alerts);
  out.common_annotations = deliver::CommonAnnotations(out.alerts);
  return out;
}

// Calls `use` for each integration of the receiver, with what it is to tell.
template <typename Use>
int ForEachIntegration(const NotifyOptions& options, Use use) {
  config::Diagnostics diagnostics(options.config.string());
  const auto config = LoadAnyAlerting(options.config, diagnostics);
  if (!config) {
    std::fputs(diagnostics.ToString().c_str(), stderr);
    return kExitUsage;
  }
  const auto labels = options.event.empty() ? ReadLabels(options.labels) : LabelsOfEvent(options);
  if (!labels) {
    std::fprintf(stderr, "vigia: %s\n", labels.error().message().c_str());
    return kExitUsage;
  }
  const auto notification = MakeNotification(options, *config->plan, *labels);
  bool found = false;
  bool fine = true;
  for (const auto& [id, lane] : config->lanes) {
    if (id.receiver != options.receiver) continue;
    found = true;
    fine = use(lane, notification) && fine;
  }
  if (!found) {
    std::fprintf(stderr, "vigia: there is no receiver '%s', or nothing is told to it\n",
                 options.receiver.c_str());
    return kExitUsage;
  }
  return fine ? kExitFine : kExitFindings;
}

std::string Answer(const deliver::Outcome& outcome) {
  switch (outcome.kind) {
    case deliver::Outcome::Kind::kDelivered:
      return outcome.message.empty() ? "delivered" : "delivered, " + outcome.message;
    case deliver::Outcome::Kind::kRetry:
      return "not delivered, would be tried again: " + outcome.message;
    case deliver::Outcome::Kind::kRejected:
      return "rejected: " + outcome.message;
  }
  return {};
}

}  // namespace

int RenderNotification(const NotifyOptions& options) {
  return ForEachIntegration(options, [](const ReceiverLane& lane, const auto& notification) {
    const auto text = lane.receiver->Render(notification);
    std::printf("# %s\n%s\n", lane.kind.c_str(),
                text ? text->c_str() : text.error().message().c_str());
    return text.has_value();
  });
}

int TestNotification(const NotifyOptions& options) {
  return ForEachIntegration(options, [](const ReceiverLane& lane, const auto& notification) {
    const auto outcome = lane.receiver->Deliver(
        notification, Deadline::After(SystemClock(), std::chrono::seconds(30)));
    std::printf("%s: %s\n", lane.kind.c_str(), Answer(outcome).c_str());
    return outcome.kind == deliver::Outcome::Kind::kDelivered;
  });
}

}  // namespace vigia::exporter::cli
