#include "exporter/alertmanagers_metrics.h"

#include <array>

namespace vigia::exporter {
namespace {

using alerting::deliver::AlertmanagerStats;

constexpr auto kCounter = MetricType::kCounter;

enum : std::size_t { kUp, kSent, kFailed, kDropped, kSeconds, kWaiting, kCount };

constexpr std::array<Metric, kCount> kMetrics{{
    {"vigia_alertmanager_up", "1 if the Alertmanager took what it was last sent."},
    {"vigia_alertmanager_alerts_sent_total", "Alerts of rules that the Alertmanager has taken.",
     kCounter},
    {"vigia_alertmanager_requests_failed_total", "Requests to the Alertmanager that failed.",
     kCounter},
    {"vigia_alertmanager_alerts_dropped_total",
     "Alerts that the Alertmanager was not told of: refused, too many, or over long since.",
     kCounter},
    {"vigia_alertmanager_request_seconds_total", "Time spent in requests.", kCounter, "seconds"},
    {"vigia_alertmanager_alerts_waiting", "Alerts that wait to be sent."},
}};

class AlertmanagersCollector final : public collectors::Collector {
 public:
  explicit AlertmanagersCollector(const alerting::deliver::Alertmanagers& alertmanagers)
      : alertmanagers_(alertmanagers) {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    for (const auto& stats : alertmanagers_.Stats()) {
      const auto add = [&](std::size_t metric, double value) {
        batch.Add(kMetrics[metric], {{"alertmanager", stats.url}}, value);
      };
      add(kUp, stats.up ? 1 : 0);
      add(kSent, static_cast<double>(stats.sent));
      add(kFailed, static_cast<double>(stats.failed));
      add(kDropped, static_cast<double>(stats.dropped));
      add(kSeconds, stats.seconds);
      add(kWaiting, static_cast<double>(stats.waiting));
    }
    return Ok();
  }

 private:
  const alerting::deliver::Alertmanagers& alertmanagers_;
};

}  // namespace

std::span<const Metric> AlertmanagersMetrics() { return kMetrics; }

std::unique_ptr<collectors::Collector> MakeAlertmanagersCollector(
    const alerting::deliver::Alertmanagers& alertmanagers) {
  return std::make_unique<AlertmanagersCollector>(alertmanagers);
}

}  // namespace vigia::exporter
