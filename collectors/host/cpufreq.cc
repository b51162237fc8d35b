// Frequencies of the CPUs and who governs them, from /sys/devices/system/cpu/cpufreq: CPUs that
// change together share a policy.

#include <array>
#include <optional>
#include <string>

#include "collectors/host/part.h"
#include "collectors/host/sysfs.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

constexpr auto kGauge = MetricType::kGauge;

constexpr std::array kMetrics{
    Metric{"node_cpu_frequency_hertz", "Frequency that the hardware reports.", kGauge, "hertz"},
    Metric{"node_cpu_frequency_min_hertz", "Lowest frequency of the hardware.", kGauge, "hertz"},
    Metric{"node_cpu_frequency_max_hertz", "Highest frequency of the hardware.", kGauge, "hertz"},
    Metric{"node_cpu_scaling_frequency_hertz", "Frequency that the kernel has set.", kGauge,
           "hertz"},
    Metric{"node_cpu_scaling_frequency_min_hertz", "Lowest frequency that the policy allows.",
           kGauge, "hertz"},
    Metric{"node_cpu_scaling_frequency_max_hertz", "Highest frequency that the policy allows.",
           kGauge, "hertz"},
    Metric{"node_cpu_scaling_governor", "1 for the governor in charge, 0 for the other ones."},
};
constexpr const Metric& kGovernor = kMetrics.back();

// In kHz, in the order of kMetrics.
constexpr std::array<std::string_view, 6> kFrequencies{"cpuinfo_cur_freq", "cpuinfo_min_freq",
                                                       "cpuinfo_max_freq", "scaling_cur_freq",
                                                       "scaling_min_freq", "scaling_max_freq"};

struct Policy {
  explicit Policy(const std::filesystem::path& folder)
      : cpus(folder / "affected_cpus"),
        governor(folder / "scaling_governor"),
        governors(folder / "scaling_available_governors") {
    for (const auto file : kFrequencies) frequencies.emplace_back(folder / file);
  }

  SysFile cpus;
  SysFile governor;
  SysFile governors;
  std::vector<SysFile> frequencies;
};

class CpufreqCollector final : public Collector {
 public:
  explicit CpufreqCollector(const Paths& paths)
      : policies_(paths.sysfs / "devices/system/cpu/cpufreq") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    auto& policies = policies_.Refresh(
        [](const std::string& name, const std::filesystem::path& folder) -> std::optional<Policy> {
          if (!name.starts_with("policy")) return std::nullopt;
          return Policy(folder);
        });
    for (auto& policy : policies) {
      if (auto status = AddPolicy(policy, batch); !status) return status;
    }
    return Ok();
  }

 private:
  static Status AddPolicy(Policy& policy, Batch& batch) {
    SysBuffer cpus_buffer;
    const auto cpus = policy.cpus.Read(cpus_buffer);
    if (!cpus) return Ok();
    for (std::size_t i = 0; i < kFrequencies.size(); ++i) {
      const auto khz = policy.frequencies[i].ReadNumber();  // some are for root only
      if (!khz) return Fail(khz.error());
      if (!*khz) continue;
      ForEach(*cpus, [&](std::string_view cpu) {
        batch.Add(kMetrics[i], {{"cpu", cpu}}, static_cast<double>(**khz) * 1000);
      });
    }
    AddGovernor(policy, *cpus, batch);
    return Ok();
  }

  static void AddGovernor(Policy& policy, std::string_view cpus, Batch& batch) {
    std::array<char, 64> governor_buffer;
    SysBuffer governors_buffer;
    const auto governor = policy.governor.Read(governor_buffer);
    const auto governors = policy.governors.Read(governors_buffer);
    if (!governor || !governors) return;
    ForEach(cpus, [&](std::string_view cpu) {
      ForEach(*governors, [&](std::string_view name) {
        batch.Add(kGovernor, {{"cpu", cpu}, {"governor", name}}, name == *governor ? 1 : 0);
      });
    });
  }

  template <typename Visit>
  static void ForEach(std::string_view words, Visit visit) {
    Fields fields(words);
    for (auto word = fields.Next(); !word.empty(); word = fields.Next()) visit(word);
  }

  SysDevices<Policy> policies_;
};

}  // namespace

std::unique_ptr<Collector> MakeCpufreq(const Paths& paths, config::MapReader&) {
  return std::make_unique<CpufreqCollector>(paths);
}

}  // namespace vigia::collectors::host
