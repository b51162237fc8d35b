// Time of every CPU by mode, from /proc/stat; which CPUs are online, isolated or throttled, from
// /sys/devices/system/cpu.

#include <algorithm>
#include <array>
#include <vector>

#include "collectors/host/cpu_info.h"
#include "collectors/host/cpu_list.h"
#include "collectors/host/cpu_throttles.h"
#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

constexpr Metric kSeconds{"node_cpu_seconds_total", "Seconds that each CPU spent in each mode.",
                          MetricType::kCounter};
constexpr Metric kGuestSeconds{
    "node_cpu_guest_seconds_total",
    "Seconds that each CPU spent running guests; user and nice time contain them too.",
    MetricType::kCounter};
constexpr Metric kOnline{"node_cpu_online", "Whether the CPU is online (1) or switched off (0)."};
constexpr Metric kIsolated{"node_cpu_isolated", "1 for a CPU that the scheduler leaves alone."};

constexpr std::uint64_t kTicksPerSecond = 100;  // USER_HZ, on every architecture

// In the order of /proc/stat, where the guests' modes follow those of the host.
constexpr std::array<std::string_view, 8> kModes{"user",   "nice", "system",  "idle",
                                                 "iowait", "irq",  "softirq", "steal"};
constexpr std::array<std::string_view, 2> kGuestModes{"user", "nice"};
constexpr std::size_t kIdle = 3;

using Ticks = std::array<std::uint64_t, kModes.size() + kGuestModes.size()>;

// Keeps one CPU's counters from going backwards, as idle and iowait do by some ticks now and then.
class SteadyTicks {
 public:
  // `run` counts the collector's runs; a CPU that was missing in the run before starts anew.
  const Ticks& Update(const Ticks& ticks, std::uint64_t run) {
    // A CPU that was unplugged and came back counts from zero: idle is then far behind.
    const bool fresh = last_run_ + 1 != run || ticks[kIdle] + 3 * kTicksPerSecond <= ticks_[kIdle];
    for (std::size_t i = 0; i < ticks.size(); ++i) {
      ticks_[i] = fresh ? ticks[i] : std::max(ticks_[i], ticks[i]);
    }
    last_run_ = run;
    return ticks_;
  }

 private:
  Ticks ticks_{};
  std::uint64_t last_run_ = 0;
};

double Seconds(std::uint64_t ticks) {
  return static_cast<double>(ticks) / static_cast<double>(kTicksPerSecond);
}

class CpuCollector final : public Collector {
 public:
  CpuCollector(const Paths& paths, config::MapReader& options)
      : stat_(paths.procfs / "stat"),
        present_(paths.sysfs / "devices/system/cpu/present"),
        online_(paths.sysfs / "devices/system/cpu/online"),
        isolated_(paths.sysfs / "devices/system/cpu/isolated"),
        throttles_(paths.sysfs / "devices/system/cpu"),
        info_(paths.procfs / "cpuinfo", options),
        metrics_{kSeconds, kGuestSeconds, kOnline, kIsolated} {
    options.Read("guest", guest_);
    for (const auto& more : {CpuThrottles::Metrics(), CpuInfo::Metrics()}) {
      metrics_.insert(metrics_.end(), more.begin(), more.end());
    }
  }

  std::span<const Metric> Metrics() const override { return metrics_; }

  Status Collect(Deadline, Batch& batch) override {
    if (auto status = AddTimes(batch); !status) return status;
    if (auto status = AddStates(batch); !status) return status;
    if (auto status = throttles_.Collect(cpus_, batch); !status) return status;
    return info_.Collect(batch);
  }

 private:
  Status AddTimes(Batch& batch) {
    const auto text = stat_.Read();
    if (!text) return Fail(text.error());
    ++run_;
    cpus_.clear();
    Lines lines(*text);
    while (const auto line = lines.Next()) {
      if (!line->starts_with("cpu")) break;  // the CPUs come first
      Fields fields(*line);
      const auto number = fields.Next().substr(3);
      if (number.empty()) continue;  // the sum of all
      if (auto status = AddCpu(number, fields, batch); !status) return status;
    }
    if (cpus_.empty()) return Fail(Malformed(stat_.path(), "lists no CPU"));
    return Ok();
  }

  Status AddCpu(std::string_view name, Fields& fields, Batch& batch) {
    const auto number = ParseNumber<std::uint32_t>(name);
    if (!number || *number >= kMaxCpus) {
      return Fail(
          Malformed(stat_.path(), "'" + std::string(name) + "' is not the number of a CPU"));
    }
    Ticks ticks{};
    std::size_t count = 0;
    while (count < ticks.size()) {
      const auto field = fields.Next();
      if (field.empty()) break;  // older kernels have fewer
      const auto value = ParseNumber(field);
      if (!value) return Fail(NotANumber(stat_.path(), field));
      ticks[count++] = *value;
    }
    if (count <= kIdle) {
      return Fail(Malformed(stat_.path(), "cpu" + std::string(name) + " has too few fields"));
    }
    cpus_.push_back(*number);
    if (steady_.size() <= *number) steady_.resize(*number + 1);
    const auto& steady = steady_[*number].Update(ticks, run_);
    for (std::size_t i = 0; i < kModes.size(); ++i) {
      batch.Add(kSeconds, {{"cpu", name}, {"mode", kModes[i]}}, Seconds(steady[i]));
    }
    for (std::size_t i = 0; guest_ && i < kGuestModes.size(); ++i) {
      batch.Add(kGuestSeconds, {{"cpu", name}, {"mode", kGuestModes[i]}},
                Seconds(steady[kModes.size() + i]));
    }
    return Ok();
  }

  Status AddStates(Batch& batch) {
    for (auto* list : {&present_, &online_, &isolated_}) {
      if (auto status = list->Refresh(); !status) return status;
    }
    for (const auto cpu : present_.cpus()) {
      const auto& online = online_.cpus();
      const bool on = std::binary_search(online.begin(), online.end(), cpu);
      batch.Add(kOnline, {{"cpu", Decimal(cpu)}}, on ? 1 : 0);
    }
    for (const auto cpu : isolated_.cpus()) batch.Add(kIsolated, {{"cpu", Decimal(cpu)}}, 1);
    return Ok();
  }

  ProcFile stat_;
  CpuList present_;
  CpuList online_;
  CpuList isolated_;
  CpuThrottles throttles_;
  CpuInfo info_;
  std::vector<Metric> metrics_;
  bool guest_ = true;

  std::uint64_t run_ = 0;
  std::vector<std::uint32_t> cpus_;  // of this run
  std::vector<SteadyTicks> steady_;  // by CPU number
};

}  // namespace

std::unique_ptr<Collector> MakeCpu(const Paths& paths, config::MapReader& options) {
  return std::make_unique<CpuCollector>(paths, options);
}

}  // namespace vigia::collectors::host
