// log_configs: a line of vigia's own log for each alert. What is told where nobody configured a
// receiver, so that bundled rules are heard from the first start.

#include "core/log.h"
#include "alerting/deliver/receiver.h"

namespace vigia::alerting::deliver {
namespace {

class LogReceiver final : public Receiver {
 public:
  explicit LogReceiver(bool send_resolved) : send_resolved_(send_resolved) {}

  Outcome Deliver(const Notification& notification, Deadline) override {
    for (const Alert& alert : notification.alerts) {
      const bool resolved = alert.ResolvedAt(notification.now);
      if (resolved && !send_resolved_) continue;
      log::Write(resolved ? log::Level::kInfo : log::Level::kWarn,
                 resolved ? "alert resolved" : "alert firing",
                 {{"alert", alert.labels.Get("alertname")},
                  {"labels", alert.labels.ToString()},
                  {"summary", Summary(alert)},
                  {"receiver", notification.receiver}});
    }
    return {};
  }

  Result<std::string> Render(const Notification& notification) override {
    std::string out;
    for (const Alert& alert : notification.alerts) {
      out += alert.ResolvedAt(notification.now) ? "alert resolved: " : "alert firing: ";
      out += alert.labels.ToString();
      out += ' ';
      out += Summary(alert);
      out += '\n';
    }
    return out;
  }

  bool send_resolved() const override { return send_resolved_; }
  Pace pace() const override { return {.per_second = 1000, .burst = 1000}; }

 private:
  static std::string_view Summary(const Alert& alert) {
    const auto summary = alert.annotations.Get("summary");
    return summary.empty() ? alert.annotations.Get("description") : summary;
  }

  const bool send_resolved_;
};

}  // namespace

std::unique_ptr<Receiver> MakeLogReceiver(const ReceiverInput& input) {
  bool send_resolved = true;
  input.options.Read("send_resolved", send_resolved);
  input.options.Finish();
  return std::make_unique<LogReceiver>(send_resolved);
}

}  // namespace vigia::alerting::deliver
