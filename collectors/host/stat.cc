// Interrupts, context switches and processes of the whole machine, from /proc/stat.

#include <algorithm>
#include <array>

#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

// In the order of kKeys, then the optional one.
constexpr std::array kMetrics{
    Metric{"node_intr_total", "Interrupts that were served.", MetricType::kCounter},
    Metric{"node_context_switches_total", "Context switches.", MetricType::kCounter},
    Metric{"node_boot_time_seconds", "When the machine was started, in Unix time."},
    Metric{"node_forks_total", "Processes and threads that were created.", MetricType::kCounter},
    Metric{"node_procs_running", "Tasks that run or could run."},
    Metric{"node_procs_blocked", "Tasks that wait for I/O."},
    Metric{"node_softirqs_total", "Softirqs that were served, by vector.", MetricType::kCounter},
};
constexpr std::array<std::string_view, 6> kKeys{"intr",      "ctxt",          "btime",
                                                "processes", "procs_running", "procs_blocked"};
constexpr const Metric& kSoftirqs = kMetrics[kKeys.size()];

constexpr std::array<std::string_view, 10> kVectors{"hi",      "timer",        "net_tx",  "net_rx",
                                                    "block",   "block_iopoll", "tasklet", "sched",
                                                    "hrtimer", "rcu"};

class StatCollector final : public Collector {
 public:
  StatCollector(const Paths& paths, config::MapReader& options) : file_(paths.procfs / "stat") {
    options.Read("softirq", softirq_);
  }

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    const auto text = file_.Read();
    if (!text) return Fail(text.error());
    Lines lines(*text);
    while (const auto line = lines.Next()) {
      Fields fields(*line);
      const auto key = fields.Next();
      const auto at = std::find(kKeys.begin(), kKeys.end(), key);
      if (at != kKeys.end()) {
        const auto& metric = kMetrics[static_cast<std::size_t>(at - kKeys.begin())];
        if (auto status = AddNext(metric, {}, fields, batch); !status) return status;
      } else if (softirq_ && key == "softirq") {
        fields.Next();  // the sum of all
        for (const auto vector : kVectors) {
          const LabelView label{"vector", vector};
          if (auto status = AddNext(kSoftirqs, {&label, 1}, fields, batch); !status) return status;
        }
      }
    }
    return Ok();
  }

 private:
  Status AddNext(const Metric& metric, std::span<const LabelView> labels, Fields& fields,
                 Batch& batch) {
    const auto field = fields.Next();
    const auto value = ParseNumber(field);
    if (!value) return Fail(NotANumber(file_.path(), field));
    batch.Add(metric, labels, static_cast<double>(*value));
    return Ok();
  }

  ProcFile file_;
  bool softirq_ = false;
};

}  // namespace

std::unique_ptr<Collector> MakeStat(const Paths& paths, config::MapReader& options) {
  return std::make_unique<StatCollector>(paths, options);
}

}  // namespace vigia::collectors::host
