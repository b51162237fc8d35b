#include "collectors/host/cpu_throttles.h"

#include <algorithm>
#include <array>
#include <set>

#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

enum { kCore, kPackage };
constexpr std::array kMetrics{
    Metric{"node_cpu_core_throttles_total", "How often the core was throttled.",
           MetricType::kCounter},
    Metric{"node_cpu_package_throttles_total", "How often the whole package was throttled.",
           MetricType::kCounter},
};

// The number that a file of the CPU's topology holds; empty if there is none.
std::string ReadId(const std::filesystem::path& path) {
  const auto text = ReadFile(path);
  if (!text) return {};
  const auto id = Trim(*text);
  return ParseNumber(id) ? std::string(id) : std::string();
}

}  // namespace

std::span<const Metric> CpuThrottles::Metrics() { return kMetrics; }

void CpuThrottles::Discover() {
  counters_.clear();
  std::set<std::pair<std::string, std::string>> seen;
  for (const auto number : cpus_) {
    const auto cpu = folder_ / ("cpu" + std::to_string(number));
    const auto package = ReadId(cpu / "topology/physical_package_id");
    const auto core = ReadId(cpu / "topology/core_id");
    if (package.empty() || core.empty()) continue;
    const auto add = [&](const std::string& of_core, const char* file) {
      const auto path = cpu / "thermal_throttle" / file;
      std::error_code ignored;
      if (!std::filesystem::exists(path, ignored)) return;
      if (seen.emplace(package, of_core).second) {
        counters_.push_back({package, of_core, ProcFile(path)});
      }
    };
    add(core, "core_throttle_count");
    add("", "package_throttle_count");
  }
}

Status CpuThrottles::Collect(std::span<const std::uint32_t> cpus, Batch& batch) {
  if (!std::equal(cpus.begin(), cpus.end(), cpus_.begin(), cpus_.end())) {
    cpus_.assign(cpus.begin(), cpus.end());
    Discover();
  }
  for (auto& counter : counters_) {
    const auto text = counter.file.ReadIfPresent();
    if (!text) return Fail(text.error());
    if (!*text) continue;  // unplugged since /proc/stat was read
    const auto count = ParseNumber(Trim(**text));
    if (!count) return Fail(NotANumber(counter.file.path(), Trim(**text)));
    batch.Add(kMetrics[counter.core.empty() ? kPackage : kCore],
              {{"package", counter.package}, {"core", counter.core}}, static_cast<double>(*count));
  }
  return Ok();
}

}  // namespace vigia::collectors::host
