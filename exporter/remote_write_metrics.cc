#include "exporter/remote_write_metrics.h"

#include <algorithm>
#include <array>

namespace vigia::exporter {
namespace {

using remote_write::EndpointStats;

constexpr auto kCounter = MetricType::kCounter;
constexpr auto kGauge = MetricType::kGauge;

// A metric and where its value stands.
struct Row {
  Metric metric;
  std::uint64_t EndpointStats::*value;
};

constexpr Row kRows[] = {
    {{"vigia_remote_write_samples_total", "Samples that the receiver has taken.", kCounter},
     &EndpointStats::samples},
    {{"vigia_remote_write_metadata_total", "Descriptions of metrics that the receiver has taken.",
      kCounter},
     &EndpointStats::metadata},
    {{"vigia_remote_write_bytes_total", "Size of the requests that were taken.", kCounter, "bytes"},
     &EndpointStats::bytes},
    {{"vigia_remote_write_requests_total", "Requests that were answered with 2xx.", kCounter},
     &EndpointStats::requests},
    {{"vigia_remote_write_retries_total", "Requests that failed and were, or will be, sent again.",
      kCounter},
     &EndpointStats::failures},
    {{"vigia_remote_write_refused_requests_total",
      "Requests that the receiver refused for good (4xx but 429): their samples were dropped.",
      kCounter},
     &EndpointStats::refusals},
    {{"vigia_remote_write_journal_gaps_total",
      "Times that samples were gone from the journal before they were sent (history.journal_keep).",
      kCounter},
     &EndpointStats::gaps},
    {{"vigia_remote_write_shards",
      "Requests under way at the same time, at most, in the last portion.", kGauge},
     &EndpointStats::shards},
    {{"vigia_remote_write_pending_bytes", "Part of the journal that is still to be sent.", kGauge,
      "bytes"},
     &EndpointStats::pending_bytes},
};

constexpr Metric kDropped{"vigia_remote_write_samples_dropped_total",
                          "Samples that were not sent, by reason.", kCounter};
constexpr Metric kNewest{"vigia_remote_write_highest_timestamp_seconds",
                         "Time of the newest sample that the receiver has taken, in Unix time.",
                         kGauge, "seconds"};
constexpr Metric kLag{"vigia_remote_write_lag_seconds",
                      "How far the newest sample that the receiver has taken is behind the newest "
                      "of the history.",
                      kGauge, "seconds"};

struct Reason {
  std::string_view word;
  std::uint64_t EndpointStats::*value;
};
constexpr Reason kReasons[] = {
    {"refused", &EndpointStats::rejected},
    {"relabelling", &EndpointStats::relabelled},
    {"too_old", &EndpointStats::too_old},
    {"not_in_journal", &EndpointStats::not_in_journal},
};

constexpr auto kMetrics = [] {
  std::array<Metric, std::size(kRows) + 3> metrics{};
  for (std::size_t i = 0; i < std::size(kRows); ++i) metrics[i] = kRows[i].metric;
  metrics[std::size(kRows)] = kDropped;
  metrics[std::size(kRows) + 1] = kNewest;
  metrics[std::size(kRows) + 2] = kLag;
  return metrics;
}();

class RemoteWriteCollector final : public collectors::Collector {
 public:
  explicit RemoteWriteCollector(const remote_write::RemoteWrite& remote_write)
      : remote_write_(remote_write) {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    for (const auto& stats : remote_write_.stats()) {
      for (const auto& [metric, value] : kRows) {
        batch.Add(metric, {{"remote_name", stats.name}, {"url", stats.url}},
                  static_cast<double>(stats.*value));
      }
      for (const auto& [word, value] : kReasons) {
        batch.Add(kDropped, {{"remote_name", stats.name}, {"url", stats.url}, {"reason", word}},
                  static_cast<double>(stats.*value));
      }
      if (stats.newest != 0) {
        batch.Add(kNewest, {{"remote_name", stats.name}, {"url", stats.url}},
                  static_cast<double>(stats.newest) / 1000);
        const auto behind = std::max<Timestamp>(0, stats.newest_stored - stats.newest);
        batch.Add(kLag, {{"remote_name", stats.name}, {"url", stats.url}},
                  static_cast<double>(behind) / 1000);
      }
    }
    return Ok();
  }

 private:
  const remote_write::RemoteWrite& remote_write_;
};

}  // namespace

std::span<const Metric> RemoteWriteMetrics() { return kMetrics; }

std::unique_ptr<collectors::Collector> MakeRemoteWriteCollector(
    const remote_write::RemoteWrite& remote_write) {
  return std::make_unique<RemoteWriteCollector>(remote_write);
}

}  // namespace vigia::exporter
