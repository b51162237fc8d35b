// Limits and usage of the control group that vigia itself runs in: its container or its service.
// From the cgroup v2 hierarchy; nothing where there is none, or in its root group, which is the
// whole machine.

#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <string>

#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/sysfs.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

constexpr auto kGauge = MetricType::kGauge;
constexpr auto kCounter = MetricType::kCounter;

constexpr Metric kCpuSeconds{"vigia_cgroup_cpu_seconds_total", "CPU time that the group used.",
                             kCounter, "seconds"};
constexpr Metric kPeriods{"vigia_cgroup_cpu_periods_total",
                          "Periods of the CPU limit in which the group ran.", kCounter};
constexpr Metric kThrottledPeriods{"vigia_cgroup_cpu_throttled_periods_total",
                                   "Periods in which the group used up its CPU limit.", kCounter};
constexpr Metric kThrottledSeconds{"vigia_cgroup_cpu_throttled_seconds_total",
                                   "Time that the group waited because of its CPU limit.", kCounter,
                                   "seconds"};
constexpr Metric kCpuLimit{"vigia_cgroup_cpu_limit_cores",
                           "CPUs that the group may keep busy; missing without a limit."};
constexpr Metric kCpuWeight{"vigia_cgroup_cpu_weight",
                            "Share of CPU time against the groups beside it; 100 by default."};
constexpr Metric kMemory{"vigia_cgroup_memory_usage_bytes", "Memory of the group, caches included.",
                         kGauge, "bytes"};
constexpr Metric kMemoryPeak{"vigia_cgroup_memory_peak_bytes",
                             "Most memory that the group ever had.", kGauge, "bytes"};
constexpr Metric kMemoryLimit{"vigia_cgroup_memory_limit_bytes",
                              "Memory above which the group is killed; missing without a limit.",
                              kGauge, "bytes"};
constexpr Metric kMemoryHigh{"vigia_cgroup_memory_high_bytes",
                             "Memory above which the group is slowed; missing without a limit.",
                             kGauge, "bytes"};
constexpr Metric kSwap{"vigia_cgroup_memory_swap_usage_bytes", "Swap of the group.", kGauge,
                       "bytes"};
constexpr Metric kSwapLimit{"vigia_cgroup_memory_swap_limit_bytes",
                            "Swap that the group may use; missing without a limit.", kGauge,
                            "bytes"};
constexpr Metric kWorkingSet{"vigia_cgroup_memory_working_set_bytes",
                             "Memory of the group without caches that are easily dropped.", kGauge,
                             "bytes"};
constexpr Metric kMemoryEvents{"vigia_cgroup_memory_events_total",
                               "Times that a memory limit was met: low, high, max, oom, oom_kill.",
                               kCounter};
constexpr Metric kPids{"vigia_cgroup_pids", "Tasks in the group."};
constexpr Metric kPidsLimit{"vigia_cgroup_pids_limit",
                            "Tasks that the group may have; missing without a limit."};
constexpr Metric kReadBytes{"vigia_cgroup_io_read_bytes_total", "Bytes read from the device.",
                            kCounter, "bytes"};
constexpr Metric kWrittenBytes{"vigia_cgroup_io_written_bytes_total",
                               "Bytes written to the device.", kCounter, "bytes"};
constexpr Metric kReads{"vigia_cgroup_io_reads_total", "Reads from the device.", kCounter};
constexpr Metric kWrites{"vigia_cgroup_io_writes_total", "Writes to the device.", kCounter};

constexpr std::array kMetrics{&kCpuSeconds,
                              &kPeriods,
                              &kThrottledPeriods,
                              &kThrottledSeconds,
                              &kCpuLimit,
                              &kCpuWeight,
                              &kMemory,
                              &kMemoryPeak,
                              &kMemoryLimit,
                              &kMemoryHigh,
                              &kSwap,
                              &kSwapLimit,
                              &kWorkingSet,
                              &kMemoryEvents,
                              &kPids,
                              &kPidsLimit,
                              &kReadBytes,
                              &kWrittenBytes,
                              &kReads,
                              &kWrites};

// Files of one number, in which "max" is no limit.
struct NumberFile {
  std::string_view file;
  const Metric* metric;
};
constexpr std::array kNumberFiles{
    NumberFile{"cpu.weight", &kCpuWeight},      NumberFile{"memory.current", &kMemory},
    NumberFile{"memory.peak", &kMemoryPeak},    NumberFile{"memory.max", &kMemoryLimit},
    NumberFile{"memory.high", &kMemoryHigh},    NumberFile{"memory.swap.current", &kSwap},
    NumberFile{"memory.swap.max", &kSwapLimit}, NumberFile{"pids.current", &kPids},
    NumberFile{"pids.max", &kPidsLimit},
};
constexpr std::size_t kMemoryCurrent = 1;

// Lines of cpu.stat.
struct CpuLine {
  std::string_view key;
  const Metric* metric;
  std::string_view mode;
  double divisor;
};
constexpr std::array kCpuLines{
    CpuLine{"user_usec", &kCpuSeconds, "user", 1e6},
    CpuLine{"system_usec", &kCpuSeconds, "system", 1e6},
    CpuLine{"nr_periods", &kPeriods, "", 1},
    CpuLine{"nr_throttled", &kThrottledPeriods, "", 1},
    CpuLine{"throttled_usec", &kThrottledSeconds, "", 1e6},
};

struct IoKey {
  std::string_view key;
  const Metric* metric;
};
constexpr std::array kIoKeys{IoKey{"rbytes", &kReadBytes}, IoKey{"wbytes", &kWrittenBytes},
                             IoKey{"rios", &kReads}, IoKey{"wios", &kWrites}};

// The files of one group.
struct Group {
  explicit Group(const std::filesystem::path& folder)
      : cpu_stat(folder / "cpu.stat"),
        cpu_max(folder / "cpu.max"),
        memory_stat(folder / "memory.stat"),
        memory_events(folder / "memory.events"),
        io_stat(folder / "io.stat") {
    for (const auto& file : kNumberFiles) numbers.emplace_back(folder / file.file);
  }

  ProcFile cpu_stat;
  ProcFile cpu_max;
  ProcFile memory_stat;
  ProcFile memory_events;
  ProcFile io_stat;
  std::vector<SysFile> numbers;  // as kNumberFiles
};

class CgroupCollector final : public Collector {
 public:
  explicit CgroupCollector(const Paths& paths)
      : own_(paths.procfs / "self/cgroup"),
        mount_(paths.sysfs / "fs/cgroup"),
        block_devices_(paths.sysfs / "dev/block") {
    for (const auto* metric : kMetrics) metrics_.push_back(*metric);
  }

  std::span<const Metric> Metrics() const override { return metrics_; }

  Status Collect(Deadline, Batch& batch) override {
    if (auto status = Locate(); !status) return status;
    if (!group_) return Ok();
    if (auto status = AddCpu(batch); !status) return status;
    if (auto status = AddNumbers(batch); !status) return status;
    if (auto status = AddMemoryEvents(batch); !status) return status;
    return AddIo(batch);
  }

 private:
  // Finds the group again when /proc/self/cgroup changes.
  Status Locate() {
    const auto text = own_.ReadIfPresent();
    if (!text) return Fail(text.error());
    const auto now = text->value_or("");
    if (located_ && now == own_text_) return Ok();
    located_ = true;
    own_text_ = now;
    group_.reset();
    std::string_view path;
    Lines lines(own_text_);
    while (const auto line = lines.Next()) {
      if (line->starts_with("0::/")) path = line->substr(4);
    }
    if (own_text_.empty() || path.data() == nullptr) return Ok();
    // Where the hierarchy of version 1 is in use too, version 2 is mounted below it. A container
    // may see its own group as the root, whatever the path is outside.
    for (const auto& root : {mount_, mount_ / "unified"}) {
      for (const auto& folder : {root / path, root}) {
        std::error_code ignored;
        // The root group alone has no such file.
        if (!std::filesystem::exists(folder / "cgroup.events", ignored)) continue;
        group_.emplace(folder);
        return Ok();
      }
    }
    return Ok();
  }

  Status AddCpu(Batch& batch) {
    const auto text = group_->cpu_stat.ReadIfPresent();
    if (!text) return Fail(text.error());
    Lines lines(text->value_or(""));
    while (const auto line = lines.Next()) {
      Fields fields(*line);
      const auto key = fields.Next();
      for (const auto& known : kCpuLines) {
        if (known.key != key) continue;
        const auto field = fields.Next();
        const auto value = ParseNumber(field);
        if (!value) return Fail(NotANumber(group_->cpu_stat.path(), field));
        batch.Add(*known.metric, {{"mode", known.mode}},
                  static_cast<double>(*value) / known.divisor);
      }
    }
    return AddCpuLimit(batch);
  }

  // "max 100000", or quota and period in microseconds.
  Status AddCpuLimit(Batch& batch) {
    const auto text = group_->cpu_max.ReadIfPresent();
    if (!text) return Fail(text.error());
    if (!*text || (*text)->starts_with("max")) return Ok();
    Fields fields(**text);
    const auto quota = ParseNumber(fields.Next());
    const auto period = ParseNumber(fields.Next());
    if (!quota || !period || *period == 0) {
      return Fail(
          Malformed(group_->cpu_max.path(), "'" + std::string(Trim(**text)) + "' is no CPU limit"));
    }
    batch.Add(kCpuLimit, static_cast<double>(*quota) / static_cast<double>(*period));
    return Ok();
  }

  Status AddNumbers(Batch& batch) {
    std::array<char, 64> buffer;
    for (std::size_t i = 0; i < kNumberFiles.size(); ++i) {
      auto& file = group_->numbers[i];
      const auto text = file.Read(buffer);
      if (!text || *text == "max") continue;
      const auto value = ParseNumber(*text);
      if (!value) return Fail(NotANumber(file.path(), *text));
      batch.Add(*kNumberFiles[i].metric, static_cast<double>(*value));
      if (i != kMemoryCurrent) continue;
      if (auto status = AddWorkingSet(*value, batch); !status) return status;
    }
    return Ok();
  }

  Status AddWorkingSet(std::uint64_t usage, Batch& batch) {
    const auto text = group_->memory_stat.ReadIfPresent();
    if (!text) return Fail(text.error());
    Lines lines(text->value_or(""));
    while (const auto line = lines.Next()) {
      Fields fields(*line);
      if (fields.Next() != "inactive_file") continue;
      const auto field = fields.Next();
      const auto inactive = ParseNumber(field);
      if (!inactive) return Fail(NotANumber(group_->memory_stat.path(), field));
      batch.Add(kWorkingSet, static_cast<double>(usage - std::min(usage, *inactive)));
      break;
    }
    return Ok();
  }

  Status AddMemoryEvents(Batch& batch) {
    const auto text = group_->memory_events.ReadIfPresent();
    if (!text) return Fail(text.error());
    Lines lines(text->value_or(""));
    while (const auto line = lines.Next()) {
      Fields fields(*line);
      const auto event = fields.Next();
      const auto field = fields.Next();
      const auto value = ParseNumber(field);
      if (!value) return Fail(NotANumber(group_->memory_events.path(), field));
      batch.Add(kMemoryEvents, {{"event", event}}, static_cast<double>(*value));
    }
    return Ok();
  }

  // "254:0 rbytes=90430464 wbytes=299008 rios=8950 wios=69 dbytes=0 dios=0"
  Status AddIo(Batch& batch) {
    const auto text = group_->io_stat.ReadIfPresent();
    if (!text) return Fail(text.error());
    Lines lines(text->value_or(""));
    while (const auto line = lines.Next()) {
      Fields fields(*line);
      const auto& device = DeviceName(fields.Next());
      for (auto field = fields.Next(); !field.empty(); field = fields.Next()) {
        const std::size_t equals = std::min(field.find('='), field.size());
        for (const auto& [key, metric] : kIoKeys) {
          if (field.substr(0, equals) != key) continue;
          const auto number = field.substr(std::min(equals + 1, field.size()));
          const auto value = ParseNumber(number);
          if (!value) return Fail(NotANumber(group_->io_stat.path(), number));
          batch.Add(*metric, {{"device", device}}, static_cast<double>(*value));
        }
      }
    }
    return Ok();
  }

  // "254:0" is "vda", if /sys knows it.
  const std::string& DeviceName(std::string_view number) {
    const auto at = device_names_.find(number);
    if (at != device_names_.end()) return at->second;
    std::error_code error;
    const auto target = std::filesystem::read_symlink(block_devices_ / number, error);
    const std::string name = error ? std::string(number) : target.filename().string();
    return device_names_.emplace(number, name).first->second;
  }

  ProcFile own_;
  const std::filesystem::path mount_;
  const std::filesystem::path block_devices_;
  std::vector<Metric> metrics_;

  bool located_ = false;
  std::string own_text_;  // what group_ was found by
  std::optional<Group> group_;
  std::map<std::string, std::string, std::less<>> device_names_;
};

}  // namespace

std::unique_ptr<Collector> MakeCgroup(const Paths& paths, config::MapReader&) {
  return std::make_unique<CgroupCollector>(paths);
}

}  // namespace vigia::collectors::host
