#include "collectors/kpi/view.h"

#include <array>

namespace vigia::collectors::kpi {
namespace {

enum { kAge, kUp, kErrors, kDuration, kRows, kNamed };

constexpr std::array kMetrics{
    Metric{"vigia_kpi_age_seconds", "Time since the query that the values are from was asked.",
           MetricType::kGauge, "seconds"},
    Metric{"vigia_kpi_query_up",
           "Whether the last attempt of the query succeeded; its values may be older ones."},
    Metric{"vigia_kpi_query_errors_total", "Attempts of the query that failed.",
           MetricType::kCounter},
    Metric{"vigia_kpi_query_duration_seconds", "How long the last attempt of the query took.",
           MetricType::kGauge, "seconds"},
    Metric{"vigia_kpi_query_rows", "Rows of the query's last good answer."},
    Metric{"<metric_name>", "What the collector files define.", MetricType::kGauge},
};

class View final : public Collector {
 public:
  View(std::shared_ptr<const Definition> definition, std::shared_ptr<const Board> board,
       std::size_t query, Milliseconds max_age)
      : definition_(std::move(definition)),
        board_(std::move(board)),
        index_(query),
        query_(definition_->queries[query]),
        max_age_(max_age) {
    metrics_.assign(kMetrics.begin(), kMetrics.begin() + kNamed);
    for (const auto& mapping : query_.mappings) metrics_.push_back(*mapping.metric);
  }

  std::span<const Metric> Metrics() const override { return metrics_; }

  Status Collect(Deadline deadline, Batch& batch) override {
    const auto state = board_->Get(index_);
    if (!state.attempted) return Ok();
    const Duration age = deadline.clock().Now() - state.asked_at;
    const bool too_old = state.answer && age > max_age_;
    // What is too old is withdrawn as unknown, not as gone: the run fails. The rest stays.
    AddFacts(state, age, too_old ? batch.OnFailure() : batch);
    if (too_old) {
      return Fail(ErrorCode::kUnavailable,
                  "no answer for " + FormatDuration(max_age_) +
                      (state.failure ? ": " + state.failure->message() : std::string()));
    }
    if (state.answer) state.answer->AddTo(batch);
    return Ok();
  }

 private:
  void AddFacts(const QueryState& state, Duration age, Batch& batch) const {
    const LabelView labels[] = {{"collector", query_.collector}, {"query", query_.name}};
    const std::span<const LabelView> of_query(labels);
    if (state.answer) {
      const std::chrono::duration<double> seconds = age;
      batch.Add(kMetrics[kAge], of_query, seconds.count());
      batch.Add(kMetrics[kRows], of_query, static_cast<double>(state.answer->rows));
    }
    batch.Add(kMetrics[kUp], of_query, state.failure ? 0 : 1);
    batch.Add(kMetrics[kErrors], of_query, static_cast<double>(state.errors));
    batch.Add(kMetrics[kDuration], of_query, state.duration_seconds);
  }

  const std::shared_ptr<const Definition> definition_;
  const std::shared_ptr<const Board> board_;
  const std::size_t index_;
  const Query& query_;
  const Milliseconds max_age_;
  std::vector<Metric> metrics_;
};

class SampleView final : public Collector {
 public:
  std::span<const Metric> Metrics() const override { return kMetrics; }
  Status Collect(Deadline, Batch&) override { return Ok(); }
};

}  // namespace

std::unique_ptr<Collector> MakeView(std::shared_ptr<const Definition> definition,
                                    std::shared_ptr<const Board> board, std::size_t query,
                                    Milliseconds max_age) {
  return std::make_unique<View>(std::move(definition), std::move(board), query, max_age);
}

std::unique_ptr<Collector> MakeSampleView() { return std::make_unique<SampleView>(); }

}  // namespace vigia::collectors::kpi
