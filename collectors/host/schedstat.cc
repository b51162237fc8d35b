// Time that tasks ran and waited on each CPU, from /proc/schedstat (where the kernel has it).

#include <array>

#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_schedstat_running_seconds_total", "Seconds that the CPU spent running tasks.",
           MetricType::kCounter, "seconds"},
    Metric{"node_schedstat_waiting_seconds_total",
           "Seconds that tasks, ready to run, waited for the CPU.", MetricType::kCounter,
           "seconds"},
    Metric{"node_schedstat_timeslices_total", "Time slices that the CPU gave to tasks.",
           MetricType::kCounter},
};
constexpr std::array kDivisors{1e9, 1e9, 1.0};

class SchedstatCollector final : public Collector {
 public:
  explicit SchedstatCollector(const Paths& paths) : file_(paths.procfs / "schedstat") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    const auto text = file_.ReadIfPresent();
    if (!text) return Fail(text.error());
    if (!*text) return Ok();
    Lines lines(**text);
    while (const auto line = lines.Next()) {
      // "cpu0 0 0 0 0 0 0 2045936778163039 343796328169361 4767485306", among lines of domains
      if (!line->starts_with("cpu")) continue;
      Fields fields(*line);
      const auto cpu = fields.Next().substr(3);
      for (int skipped = 0; skipped < 6; ++skipped) fields.Next();
      for (std::size_t i = 0; i < kMetrics.size(); ++i) {
        const auto field = fields.Next();
        const auto value = ParseNumber(field);
        if (!value) return Fail(NotANumber(file_.path(), field));
        batch.Add(kMetrics[i], {{"cpu", cpu}}, static_cast<double>(*value) / kDivisors[i]);
      }
    }
    return Ok();
  }

 private:
  ProcFile file_;
};

}  // namespace

std::unique_ptr<Collector> MakeSchedstat(const Paths& paths, config::MapReader&) {
  return std::make_unique<SchedstatCollector>(paths);
}

}  // namespace vigia::collectors::host
