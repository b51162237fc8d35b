#include "exporter/rules/collector.h"

#include <array>

#include "exporter/rules/component.h"

namespace vigia::exporter {
namespace {

using alerting::rules::AlertingRule;
using alerting::rules::AlertState;

constexpr auto kCounter = MetricType::kCounter;
constexpr auto kGauge = MetricType::kGauge;

enum : std::size_t {
  kRules,
  kEvaluations,
  kFailures,
  kIterations,
  kMissed,
  kDuration,
  kCpu,
  kLast,
  kInterval,
  kRefused,
  kAlerts,
  kHeld,
  kPersistent,
  kWritable,
  kTransactions,
  kWriteFailures,
  kCorrupt,
  kBytes,
  kWaiting,
  kEventsLost,
  kCount,
};

constexpr std::array<Metric, kCount> kMetrics{{
    {"vigia_rule_group_rules", "Rules of the group."},
    {"vigia_rule_evaluations_total", "Rules evaluated, by group.", kCounter},
    {"vigia_rule_evaluation_failures_total", "Evaluations that failed, by group.", kCounter},
    {"vigia_rule_group_iterations_total", "Ticks of the group, the missed ones included.",
     kCounter},
    {"vigia_rule_group_iterations_missed_total",
     "Ticks left out because the evaluation before took too long.", kCounter},
    {"vigia_rule_group_last_duration_seconds", "How long the group's last evaluation took.", kGauge,
     "seconds"},
    {"vigia_rule_group_cpu_seconds_total", "Processor time that evaluations of the group took.",
     kCounter, "seconds"},
    {"vigia_rule_group_last_evaluation_timestamp_seconds",
     "Time at which the group was last evaluated, in Unix time.", kGauge, "seconds"},
    {"vigia_rule_group_interval_seconds", "How often the group is evaluated.", kGauge, "seconds"},
    {"vigia_rule_samples_refused_total",
     "Results that the history did not take, by group: out of order or over a limit.", kCounter},
    {"vigia_alerts", "Alerts by state."},
    {"vigia_alerts_held", "Alerts kept as they are because their data is unknown."},
    {"vigia_state_persistent", "Whether the state file can be used; 0: state is in memory only."},
    {"vigia_state_writable", "Whether the last write to the state file succeeded."},
    {"vigia_state_transactions_total", "Transactions written to the state file.", kCounter},
    {"vigia_state_write_failures_total", "Writes to the state file that failed.", kCounter},
    {"vigia_state_corrupt_files_total", "Damaged state files that were set aside.", kCounter},
    {"vigia_state_bytes", "Size of the state file and its log.", kGauge, "bytes"},
    {"vigia_state_waiting_alerts", "Alerts whose change waits in memory to be written."},
    {"vigia_state_events_lost_total",
     "Events that were too many to wait for a state file that cannot be written.", kCounter},
}};

class RuleCollector final : public collectors::Collector {
 public:
  RuleCollector(const alerting::rules::Runner& runner, const alerting::rules::AlertStore& store,
                const alerting::state::Database& database, const alerting::state::Journal& journal)
      : runner_(runner), store_(store), database_(database), journal_(journal) {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    const auto groups = runner_.Groups();
    for (const auto& group : groups) CollectGroup(*group, batch);
    CollectAlerts(groups, batch);
    CollectState(batch);
    return Ok();
  }

 private:
  static void CollectGroup(const alerting::rules::Group& group, Batch& batch) {
    const auto report = group.report();
    const LabelView label{"rule_group", group.key()};
    const auto add = [&](std::size_t metric, double value) {
      batch.Add(kMetrics[metric], {label}, value);
    };
    add(kRules, static_cast<double>(group.rules().size()));
    add(kEvaluations, static_cast<double>(report.rule_evaluations));
    add(kFailures, static_cast<double>(report.rule_failures));
    add(kIterations, static_cast<double>(report.iterations));
    add(kMissed, static_cast<double>(report.missed));
    add(kDuration, report.evaluation_seconds);
    add(kCpu, report.cpu_seconds_total);
    add(kLast, static_cast<double>(report.last_evaluation) / 1000);
    add(kInterval, static_cast<double>(group.interval().count()) / 1000);
    add(kRefused, static_cast<double>(report.samples_refused));
  }

  static void CollectAlerts(
      const std::vector<std::shared_ptr<const alerting::rules::Group>>& groups, Batch& batch) {
    AlertingRule::Counts total;
    for (const auto& group : groups) {
      for (const auto& rule : group->rules()) {
        const auto* alerting = dynamic_cast<const AlertingRule*>(rule.get());
        if (!alerting) continue;
        const auto counts = alerting->counts();
        total.pending += counts.pending;
        total.firing += counts.firing;
        total.held += counts.held;
      }
    }
    batch.Add(kMetrics[kAlerts], {{"alertstate", "pending"}}, static_cast<double>(total.pending));
    batch.Add(kMetrics[kAlerts], {{"alertstate", "firing"}}, static_cast<double>(total.firing));
    batch.Add(kMetrics[kHeld], static_cast<double>(total.held));
  }

  void CollectState(Batch& batch) const {
    const auto health = database_.health();
    batch.Add(kMetrics[kPersistent], health.persistent ? 1 : 0);
    batch.Add(kMetrics[kWritable], health.writable ? 1 : 0);
    batch.Add(kMetrics[kTransactions], static_cast<double>(health.transactions));
    batch.Add(kMetrics[kWriteFailures], static_cast<double>(health.failures));
    batch.Add(kMetrics[kCorrupt], static_cast<double>(health.corrupt_files));
    batch.Add(kMetrics[kBytes], static_cast<double>(health.bytes));
    batch.Add(kMetrics[kWaiting], static_cast<double>(store_.waiting()));
    batch.Add(kMetrics[kEventsLost],
              static_cast<double>(store_.events_lost() + journal_.dropped()));
  }

  const alerting::rules::Runner& runner_;
  const alerting::rules::AlertStore& store_;
  const alerting::state::Database& database_;
  const alerting::state::Journal& journal_;
};

}  // namespace

std::span<const Metric> RuleMetrics() { return kMetrics; }

std::unique_ptr<collectors::Collector> MakeRuleCollector(const alerting::rules::Runner& runner,
                                                         const alerting::rules::AlertStore& store,
                                                         const alerting::state::Database& database,
                                                         const alerting::state::Journal& journal) {
  return std::make_unique<RuleCollector>(runner, store, database, journal);
}

}  // namespace vigia::exporter
