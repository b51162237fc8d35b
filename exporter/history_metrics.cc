#include "exporter/history_metrics.h"

#include <array>

namespace vigia::exporter {
namespace {

constexpr auto kCounter = MetricType::kCounter;
constexpr auto kGauge = MetricType::kGauge;

// A metric and where its value stands.
struct Row {
  Metric metric;
  std::uint64_t history::Stats::*value;
};

using history::Stats;
constexpr Row kRows[] = {
    {{"vigia_history_series", "Series that the history knows."}, &Stats::series},
    {{"vigia_history_memory_bytes", "Memory that series and their samples use.", kGauge, "bytes"},
     &Stats::memory_bytes},
    {{"vigia_history_blocks", "Files with sealed samples."}, &Stats::blocks},
    {{"vigia_history_block_bytes", "Size of those files.", kGauge, "bytes"}, &Stats::block_bytes},
    {{"vigia_history_block_samples", "Samples in those files."}, &Stats::block_samples},
    {{"vigia_history_journal_bytes", "Size of the journal.", kGauge, "bytes"},
     &Stats::journal_bytes},
    {{"vigia_history_journal_waiting_bytes",
      "What is to be written to the journal and the disk refuses.", kGauge, "bytes"},
     &Stats::journal_waiting_bytes},
    {{"vigia_history_at_risk",
      "1 while samples are in memory only because the disk refused them, else 0."},
     &Stats::at_risk},
    {{"vigia_history_samples_appended_total", "Samples stored.", kCounter},
     &Stats::samples_appended},
    {{"vigia_history_samples_out_of_order_total",
      "Samples stored although they were not the newest of their series.", kCounter},
     &Stats::samples_out_of_order},
    {{"vigia_history_series_created_total", "Series that were new.", kCounter},
     &Stats::series_created},
    {{"vigia_history_series_dropped_total", "Series forgotten because retention left no samples.",
      kCounter},
     &Stats::series_dropped},
    {{"vigia_history_blocks_written_total", "Files written from memory.", kCounter},
     &Stats::blocks_written},
    {{"vigia_history_blocks_deleted_total", "Files deleted by retention.", kCounter},
     &Stats::blocks_deleted},
    {{"vigia_history_corrupt_files_total", "Files set aside because they were damaged.", kCounter},
     &Stats::files_corrupt},
    {{"vigia_history_damaged_chunks_total", "Chunks that could not be read.", kCounter},
     &Stats::chunks_damaged},
    {{"vigia_history_torn_tails_total", "Journal ends that a crash had torn, and that were cut.",
      kCounter},
     &Stats::torn_tails},
    {{"vigia_history_samples_replayed_total", "Samples restored from the journal at the start.",
      kCounter},
     &Stats::samples_replayed},
    {{"vigia_history_samples_lost_total", "Samples that the disk refused.", kCounter},
     &Stats::samples_lost},
    {{"vigia_history_write_errors_total", "Attempts to write that failed.", kCounter},
     &Stats::write_errors},
};

constexpr Metric kRefused{"vigia_history_samples_refused_total",
                          "Samples that were not stored, by reason.", kCounter};
constexpr Metric kNewest{"vigia_history_newest_timestamp_seconds",
                         "Time of the newest sample, in Unix time.", kGauge, "seconds"};

struct Reason {
  std::string_view word;
  std::uint64_t history::Stats::*value;
};
constexpr Reason kReasons[] = {
    {"duplicate", &Stats::samples_duplicate},    {"conflict", &Stats::samples_conflicting},
    {"too_old", &Stats::samples_too_old},        {"too_new", &Stats::samples_too_new},
    {"max_series", &Stats::samples_over_series}, {"max_memory", &Stats::samples_over_memory},
};

constexpr auto kMetrics = [] {
  std::array<Metric, std::size(kRows) + 2> metrics{};
  for (std::size_t i = 0; i < std::size(kRows); ++i) metrics[i] = kRows[i].metric;
  metrics[std::size(kRows)] = kRefused;
  metrics[std::size(kRows) + 1] = kNewest;
  return metrics;
}();

class HistoryCollector final : public collectors::Collector {
 public:
  explicit HistoryCollector(const history::History& history) : history_(history) {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    const auto stats = history_.stats();
    for (std::size_t i = 0; i < std::size(kRows); ++i) {
      batch.Add(kMetrics[i], static_cast<double>(stats.*kRows[i].value));
    }
    for (const auto& [word, value] : kReasons) {
      batch.Add(kMetrics[std::size(kRows)], {{"reason", word}}, static_cast<double>(stats.*value));
    }
    if (stats.newest_time != 0) {
      batch.Add(kMetrics.back(), static_cast<double>(stats.newest_time) / 1000);
    }
    return Ok();
  }

 private:
  const history::History& history_;
};

}  // namespace

std::span<const Metric> HistoryMetrics() { return kMetrics; }

std::unique_ptr<collectors::Collector> MakeHistoryCollector(const history::History& history) {
  return std::make_unique<HistoryCollector>(history);
}

}  // namespace vigia::exporter
