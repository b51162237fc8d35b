// Energy that the processor's power domains used, from /sys/class/powercap. The files are for
// root only on most kernels: then there is nothing to report.

#include <array>
#include <map>
#include <optional>
#include <string>

#include "collectors/host/part.h"
#include "collectors/host/sysfs.h"
#include "collectors/host/text.h"
#include "core/metric_table.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{Metric{"node_rapl_<zone>_joules_total",
                                     "Energy that the power domain used.", MetricType::kCounter}};

struct Zone {
  const Metric* metric;
  std::string index;
  std::string path;
  SysFile energy;
};

class RaplCollector final : public Collector {
 public:
  explicit RaplCollector(const Paths& paths) : zones_(paths.sysfs / "class/powercap") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    auto& zones = zones_.Refresh(
        [this](const std::string&, const std::filesystem::path& folder) { return Open(folder); });
    for (auto& zone : zones) {
      const auto microjoules = zone.energy.ReadNumber();
      if (!microjoules) return Fail(microjoules.error());
      if (!*microjoules) continue;
      batch.Add(*zone.metric, {{"index", zone.index}, {"path", zone.path}},
                static_cast<double>(**microjoules) / 1e6);
    }
    return Ok();
  }

 private:
  // "package-1" is zone "package" with index 1; names without a number are counted.
  std::optional<Zone> Open(const std::filesystem::path& folder) {
    SysBuffer buffer;
    const auto text = SysFile(folder / "name").Read(buffer);
    if (!text) return std::nullopt;
    std::string name(*text);
    const std::size_t dash = name.find('-');
    std::optional<unsigned> index;
    if (dash != name.npos) index = ParseNumber<unsigned>(std::string_view(name).substr(dash + 1));
    if (index) name.resize(dash);
    if (!index) index = next_index_[name];
    next_index_[name] = *index + 1;
    const auto& metric =
        table_.Get("node_rapl_" + MetricNamePart(name) + "_joules_total",
                   "Energy that the power domain '" + name + "' used.", MetricType::kCounter);
    return Zone{&metric, std::to_string(*index), folder.string(), SysFile(folder / "energy_uj")};
  }

  MetricTable table_;
  std::map<std::string, unsigned> next_index_;  // by name
  SysDevices<Zone> zones_;
};

}  // namespace

std::unique_ptr<Collector> MakeRapl(const Paths& paths, config::MapReader&) {
  return std::make_unique<RaplCollector>(paths);
}

}  // namespace vigia::collectors::host
