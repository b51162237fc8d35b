#include "exporter/baselines/metrics.h"

#include <set>
#include <string>
#include <vector>

namespace vigia::exporter {
namespace {

namespace baseline = alerting::baseline;

constexpr auto kCounter = MetricType::kCounter;
constexpr auto kGauge = MetricType::kGauge;

// In the order of baseline::Outputs().
constexpr Metric kSeries[] = {
    {"vigia_baseline_expected", "What is normal now for the series, in its own unit."},
    {"vigia_baseline_lower", "Where the band of the normal begins."},
    {"vigia_baseline_upper", "Where the band of the normal ends."},
    {"vigia_baseline_ratio", "The value divided by what is normal."},
    {"vigia_baseline_score", "How unlike its past the series is, 0 to 1."},
    {"vigia_baseline_regression", "1 while a change for the worse lasts, else 0."},
    {"vigia_baseline_anomaly", "1 while values are unlike the past, and no change lasts, else 0."},
    {"vigia_baseline_learning", "1 while nothing is known yet of the series, else 0."},
    {"vigia_baseline_change_ratio", "Size of the change that lasts: 0.6 is +60 %; 0 for none."},
    {"vigia_baseline_since_timestamp_seconds", "When the change that lasts began, in Unix time.",
     kGauge, "seconds"},
};

enum Own {
  kCount,
  kLearning,
  kRegressions,
  kOverBudget,
  kEvaluations,
  kFailures,
  kDuration,
  kDeployed,
  kChange
};
constexpr Metric kOwn[] = {
    {"vigia_baseline_series", "Series that the baseline follows."},
    {"vigia_baseline_series_learning", "Of these, those of which nothing is known yet."},
    {"vigia_baseline_series_regressions",
     "Of these, those with a change for the worse that lasts."},
    {"vigia_baseline_series_refused_total",
     "Series left out because of max_series, counted at each evaluation.", kCounter},
    {"vigia_baseline_evaluations_total", "Evaluations of the baseline's expression.", kCounter},
    {"vigia_baseline_evaluation_failures_total", "Evaluations that failed.", kCounter},
    {"vigia_baseline_evaluation_duration_seconds", "How long the last evaluation took.", kGauge,
     "seconds"},
    {"vigia_deploy_timestamp_seconds", "When a version was deployed, as declared, in Unix time.",
     kGauge, "seconds"},
    {"vigia_baseline_change",
     "A change of a series that lasts, for the worse or not: its size, 0.6 for +60 %; the label "
     "text tells it, also what else changed at the same time."},
};

// A label of the series called "baseline" gives way to the baseline's name.
void Collect(const std::string& name, const baseline::Line& line, Batch& batch,
             std::vector<LabelView>& labels) {
  labels.clear();
  labels.push_back({"baseline", name});
  for (const auto [label, value] : line.labels) {
    if (label != "baseline") labels.push_back({label, value});
  }
  std::size_t i = 0;
  for (const auto& output : baseline::Outputs()) {
    const auto value = output.value(line);
    if (value) batch.Add(kSeries[i], std::span<const LabelView>(labels), *value);
    ++i;
  }
}

class SeriesCollector final : public collectors::Collector {
 public:
  explicit SeriesCollector(const baseline::Book& book) : book_(book) {}

  std::span<const Metric> Metrics() const override { return kSeries; }

  Status Collect(Deadline, Batch& batch) override {
    for (const auto& [name, page] : book_.Pages()) {
      for (const auto& line : page->lines) exporter::Collect(name, line, batch, labels_);
    }
    return Ok();
  }

 private:
  const baseline::Book& book_;
  std::vector<LabelView> labels_;
};

class OwnCollector final : public collectors::Collector {
 public:
  OwnCollector(const baseline::Book& book, const Marks& marks, const Regressions& regressions)
      : book_(book), marks_(marks), regressions_(regressions) {}

  std::span<const Metric> Metrics() const override { return kOwn; }

  Status Collect(Deadline, Batch& batch) override {
    for (const auto& [name, page] : book_.Pages()) {
      const auto& report = page->report;
      const auto add = [&, &name = name](Own metric, auto value) {
        batch.Add(kOwn[metric], {{"baseline", name}}, static_cast<double>(value));
      };
      add(kCount, report.series);
      add(kLearning, report.learning);
      add(kRegressions, report.regressions);
      add(kOverBudget, report.over_budget);
      add(kEvaluations, report.evaluations);
      add(kFailures, report.failures);
      add(kDuration, report.seconds);
    }
    for (const auto& change : regressions_.Lasting()) AddChange(change, batch);
    std::set<std::string> versions;  // the newest of a version is the first one
    for (const auto& deploy : marks_.Deploys()) {
      if (!versions.insert(deploy.version).second) continue;
      batch.Add(kOwn[kDeployed], {{"version", deploy.version}},
                static_cast<double>(deploy.time) / 1000);
    }
    return Ok();
  }

 private:
  static void AddChange(const Change& change, Batch& batch) {
    const auto labels = ChangeLabels(change);
    batch.Add(kOwn[kChange], std::span<const LabelView>(labels), change.size);
  }

  const baseline::Book& book_;
  const Marks& marks_;
  const Regressions& regressions_;
};

}  // namespace

std::span<const Metric> BaselineSeriesMetrics() { return kSeries; }

std::unique_ptr<collectors::Collector> MakeBaselineSeries(const baseline::Book& book) {
  return std::make_unique<SeriesCollector>(book);
}

std::span<const Metric> BaselineMetrics() { return kOwn; }

std::unique_ptr<collectors::Collector> MakeBaselineMetrics(const baseline::Book& book,
                                                           const Marks& marks,
                                                           const Regressions& regressions) {
  return std::make_unique<OwnCollector>(book, marks, regressions);
}

}  // namespace vigia::exporter
