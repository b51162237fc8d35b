// Softirqs by kind and CPU, from /proc/softirqs. Off by default: as many series as kinds times
// CPUs.

#include <array>

#include "collectors/host/cpu_columns.h"
#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_softirqs_functions_total", "Softirqs that each CPU served, by kind.",
           MetricType::kCounter},
};

class SoftirqsCollector final : public Collector {
 public:
  explicit SoftirqsCollector(const Paths& paths) : file_(paths.procfs / "softirqs") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    const auto text = file_.Read();
    if (!text) return Fail(text.error());
    Lines lines(*text);
    const auto cpus = ParseCpuColumns(lines.Next().value_or(""));
    if (!cpus) return Fail(Malformed(file_.path(), "has no heading of CPUs"));
    while (const auto line = lines.Next()) {  // "   TIMER:      13512      12463"
      Fields fields(*line);
      auto type = fields.Next();
      if (type.ends_with(':')) type.remove_suffix(1);
      for (const auto cpu : *cpus) {
        const auto field = fields.Next();
        const auto count = ParseNumber(field);
        if (!count) return Fail(NotANumber(file_.path(), field));
        batch.Add(kMetrics[0], {{"cpu", cpu}, {"type", type}}, static_cast<double>(*count));
      }
    }
    return Ok();
  }

 private:
  ProcFile file_;
};

}  // namespace

std::unique_ptr<Collector> MakeSoftirqs(const Paths& paths, config::MapReader&) {
  return std::make_unique<SoftirqsCollector>(paths);
}

}  // namespace vigia::collectors::host
