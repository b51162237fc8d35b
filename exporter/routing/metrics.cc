#include "exporter/routing/metrics.h"

#include <array>

namespace vigia::routing {
namespace {

constexpr auto kCounter = MetricType::kCounter;
constexpr auto kGauge = MetricType::kGauge;

enum : std::size_t {
  kReceived,
  kInvalid,
  kKnown,
  kGroups,
  kSilences,
  kDecided,
  kAtRisk,
  kFailedWrites,
  kDelivered,
  kAttempts,
  kFailed,
  kDied,
  kReplaced,
  kHeldBack,
  kSeconds,
  kWaiting,
  kDead,
  kCount,
};

constexpr std::array<Metric, kCount> kMetrics{{
    {"vigia_routing_alerts_received_total", "Alerts that rules and other senders posted.",
     kCounter},
    {"vigia_routing_alerts_invalid_total", "Alerts among them that were refused.", kCounter},
    {"vigia_routing_alerts",
     "Alerts known to routing: active, suppressed (silenced or inhibited), resolved."},
    {"vigia_routing_groups", "Groups of alerts."},
    {"vigia_silences", "Silences by state."},
    {"vigia_notifications_decided_total", "Notifications that routing decided on.", kCounter},
    {"vigia_routing_state_at_risk",
     "1 while silences, alerts and notifications live in memory alone."},
    {"vigia_routing_state_write_failures_total", "Attempts to write that state that failed.",
     kCounter},
    {"vigia_notifications_delivered_total", "Notifications that a receiver took.", kCounter},
    {"vigia_notification_attempts_total", "Attempts to deliver.", kCounter},
    {"vigia_notification_attempts_failed_total", "Attempts to deliver that failed.", kCounter},
    {"vigia_notifications_dead_total", "Notifications given up: rejected or too old.", kCounter},
    {"vigia_notifications_replaced_total",
     "Notifications that waited until a later one said the same and more.", kCounter},
    {"vigia_notifications_held_back_total",
     "Times that a receiver asked to wait (429, Retry-After).", kCounter},
    {"vigia_notification_attempt_seconds_total", "Time spent in attempts.", kCounter, "seconds"},
    {"vigia_notifications_waiting", "Notifications on their way."},
    {"vigia_notifications_dead_letters", "Notifications given up that can be sent again."},
}};

class AlertingCollector final : public collectors::Collector {
 public:
  AlertingCollector(const alerting::dispatch::Dispatcher& dispatcher,
                    const alerting::outbox::Outbox& outbox)
      : dispatcher_(dispatcher), outbox_(outbox) {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    AddRouting(batch);
    for (const auto& lane : outbox_.Stats()) AddLane(batch, lane);
    return Ok();
  }

 private:
  void AddRouting(Batch& batch) const {
    const auto stats = dispatcher_.stats();
    const auto add = [&](std::size_t metric, auto value) {
      batch.Add(kMetrics[metric], static_cast<double>(value));
    };
    const auto add_state = [&](std::size_t metric, std::string_view state, std::size_t value) {
      batch.Add(kMetrics[metric], {{"state", state}}, static_cast<double>(value));
    };
    add(kReceived, stats.received);
    add(kInvalid, stats.invalid);
    add_state(kKnown, "active", stats.alerts);
    add_state(kKnown, "suppressed", stats.suppressed_alerts);
    add_state(kKnown, "resolved", stats.resolved_alerts);
    add(kGroups, stats.groups);
    add_state(kSilences, "active", stats.silences_active);
    add_state(kSilences, "pending", stats.silences_pending);
    add_state(kSilences, "expired", stats.silences_expired);
    add(kDecided, stats.notices);
    add(kAtRisk, stats.state_at_risk ? 1 : 0);
    add(kFailedWrites, stats.failed_writes);
  }

  static void AddLane(Batch& batch, const alerting::outbox::LaneStats& lane) {
    const auto index = std::to_string(lane.id.integration);
    const std::array<LabelView, 3> labels{
        {{"index", index}, {"integration", lane.kind}, {"receiver", lane.id.receiver}}};
    const auto add = [&](std::size_t metric, auto value) {
      batch.Add(kMetrics[metric], labels, static_cast<double>(value));
    };
    add(kDelivered, lane.delivered);
    add(kAttempts, lane.attempts);
    add(kFailed, lane.failed);
    add(kDied, lane.died);
    add(kReplaced, lane.replaced);
    add(kHeldBack, lane.limited);
    add(kSeconds, lane.seconds);
    add(kWaiting, lane.waiting);
    add(kDead, lane.dead);
  }

  const alerting::dispatch::Dispatcher& dispatcher_;
  const alerting::outbox::Outbox& outbox_;
};

}  // namespace

std::span<const Metric> AlertingMetrics() { return kMetrics; }

std::unique_ptr<collectors::Collector> MakeAlertingCollector(
    const alerting::dispatch::Dispatcher& dispatcher, const alerting::outbox::Outbox& outbox) {
  return std::make_unique<AlertingCollector>(dispatcher, outbox);
}

}  // namespace vigia::routing
