// Time that tasks lost waiting for CPU, I/O and memory (PSI), from /proc/pressure.

#include <array>

#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

constexpr auto kCounter = MetricType::kCounter;

constexpr std::array kMetrics{
    Metric{"node_pressure_cpu_waiting_seconds_total",
           "Seconds in which some task waited for a CPU.", kCounter},
    Metric{"node_pressure_io_waiting_seconds_total", "Seconds in which some task waited for I/O.",
           kCounter},
    Metric{"node_pressure_io_stalled_seconds_total",
           "Seconds in which all tasks with work waited for I/O.", kCounter},
    Metric{"node_pressure_memory_waiting_seconds_total",
           "Seconds in which some task waited for memory.", kCounter},
    Metric{"node_pressure_memory_stalled_seconds_total",
           "Seconds in which all tasks with work waited for memory.", kCounter},
    Metric{"node_pressure_irq_stalled_seconds_total",
           "Seconds in which interrupts kept all tasks from running.", kCounter},
};

// What is read of a file: the line "some", the line "full", or both.
struct Resource {
  ProcFile file;
  const Metric* some;
  const Metric* full;
};

class PressureCollector final : public Collector {
 public:
  explicit PressureCollector(const Paths& paths)
      : resources_{
            // "full" of cpu is there, but means nothing for the whole machine.
            Resource{ProcFile(paths.procfs / "pressure/cpu"), &kMetrics[0], nullptr},
            Resource{ProcFile(paths.procfs / "pressure/io"), &kMetrics[1], &kMetrics[2]},
            Resource{ProcFile(paths.procfs / "pressure/memory"), &kMetrics[3], &kMetrics[4]},
            Resource{ProcFile(paths.procfs / "pressure/irq"), nullptr, &kMetrics[5]},
        } {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    for (auto& resource : resources_) {
      // Kernels before 4.20 and those started with psi=0 have none of them.
      const auto text = resource.file.ReadIfPresent();
      if (!text) return Fail(text.error());
      if (!*text) continue;
      for (const auto& [word, metric] :
           {std::pair{"some ", resource.some}, std::pair{"full ", resource.full}}) {
        if (!metric) continue;
        if (auto status = AddLine(resource.file, **text, word, *metric, batch); !status) {
          return status;
        }
      }
    }
    return Ok();
  }

 private:
  // "some avg10=0.00 avg60=0.10 avg300=0.74 total=17745178": the total is in microseconds.
  static Status AddLine(const ProcFile& file, std::string_view text, std::string_view word,
                        const Metric& metric, Batch& batch) {
    Lines lines(text);
    while (const auto line = lines.Next()) {
      if (!line->starts_with(word)) continue;
      const auto at = line->find("total=");
      const auto total = at == line->npos ? *line : line->substr(at + 6);
      const auto value = ParseNumber(total);
      if (!value) return Fail(NotANumber(file.path(), total));
      batch.Add(metric, static_cast<double>(*value) / 1e6);
      return Ok();
    }
    return Fail(Malformed(file.path(), "has no line '" + std::string(Trim(word)) + "'"));
  }

  std::array<Resource, 4> resources_;
};

}  // namespace

std::unique_ptr<Collector> MakePressure(const Paths& paths, config::MapReader&) {
  return std::make_unique<PressureCollector>(paths);
}

}  // namespace vigia::collectors::host
