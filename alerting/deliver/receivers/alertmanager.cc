// alertmanager_configs: alerts are posted to Alertmanagers (API v2), as Prometheus does: to all of
// them at once, and one that takes them is enough, since they tell each other.

#include <thread>

#include "alerting/deliver/http_receiver.h"
#include "alerting/deliver/postable_alerts.h"

namespace vigia::alerting::deliver {
namespace {

// What firing alerts say of their end. An Alertmanager that is not told again by then ends them: a
// repeat_interval has to be shorter.
constexpr Timestamp kFiresFor = 25 * 3600 * 1000;

struct Options {
  std::vector<std::string> urls;
  Milliseconds timeout = 10s;  // of each; Prometheus' default
};

class AlertmanagerReceiver final : public HttpReceiver {
 public:
  AlertmanagerReceiver(const ReceiverOptions& common, Options options)
      : HttpReceiver(common), options_(std::move(options)) {}

  Outcome Deliver(const Notification& notification, Deadline deadline) override {
    const auto told = send_resolved() ? notification : WithoutResolved(notification);
    if (told.alerts.empty()) return {.message = "only resolved alerts, which are not wanted"};
    return Judge(SendToAll(Body(told), deadline));
  }

  Pace pace() const override { return {.per_second = 100, .burst = 1000}; }

 protected:
  Result<HttpRequest> Build(const Notification& notification) const override {
    return Post(options_.urls.front(), Body(notification));
  }

 private:
  // At once: one that hangs takes no time from the others.
  std::vector<Outcome> SendToAll(const std::string& body, Deadline deadline) {
    const Deadline own(deadline.clock(),
                       std::min(deadline.at(), deadline.clock().Now() + options_.timeout));
    std::vector<Outcome> outcomes(options_.urls.size());
    const auto send = [&](std::size_t i) {
      outcomes[i] = ReadAnswer(sender().Send(Post(options_.urls[i], body), own), Now());
    };
    {
      std::vector<std::jthread> others;
      for (std::size_t i = 1; i < outcomes.size(); ++i) others.emplace_back(send, i);
      send(0);
    }
    return outcomes;
  }

  static Outcome Judge(std::vector<Outcome> outcomes) {
    std::size_t failures = 0;
    Outcome failed;
    for (auto& outcome : outcomes) {
      if (outcome.kind == Outcome::Kind::kDelivered) continue;
      ++failures;
      // What may work later counts.
      if (failed.kind != Outcome::Kind::kRetry) failed = std::move(outcome);
    }
    if (failures == outcomes.size()) return failed;
    if (failures == 0) return {};
    return {.message = std::to_string(failures) + " of " + std::to_string(outcomes.size()) +
                       " did not take them: " + failed.message};
  }

  static std::string Body(const Notification& notification) {
    auto alerts = notification.alerts;
    for (auto& alert : alerts) {
      if (!alert.ResolvedAt(notification.now)) alert.ends_at = notification.now + kFiresFor;
    }
    return PostableAlerts(alerts);
  }

  const Options options_;
};

// The base URL of an Alertmanager, with or without the path of the API.
std::string ApiUrl(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url.ends_with(kPostAlertsPath) ? url : url + kPostAlertsPath;
}

}  // namespace

std::unique_ptr<Receiver> MakeAlertmanagers(const ReceiverInput& input) {
  ReceiverOptions common(input, true);
  Options options;
  std::vector<std::string> urls;
  if (!input.options.Read("urls", urls) && !input.options.Read("url", urls)) {
    input.options.Require("urls", "such as [http://127.0.0.1:9093]");
  }
  for (auto& url : urls) {
    if (const auto parsed = ParseHttpUrl(url); !parsed) {
      input.options.Fault("urls", url + ": " + parsed.error().message());
    }
    options.urls.push_back(ApiUrl(std::move(url)));
  }
  input.options.Read("timeout", options.timeout);
  input.options.Finish();
  if (options.urls.empty()) return nullptr;
  return std::make_unique<AlertmanagerReceiver>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
