// Bonded network devices: how many devices each bundles, and how many of them work, from
// /sys/class/net/bonding_masters.

#include <array>

#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"
#include "core/file.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_bonding_slaves", "Devices that the bond bundles."},
    Metric{"node_bonding_active", "Devices of the bond whose link is up."},
};

class BondingCollector final : public Collector {
 public:
  explicit BondingCollector(const Paths& paths)
      : folder_(paths.sysfs / "class/net"), masters_(folder_ / "bonding_masters") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    const auto masters = masters_.ReadIfPresent();
    if (!masters) return Fail(masters.error());
    Fields fields(masters->value_or(""));
    for (auto master = fields.Next(); !master.empty(); master = fields.Next()) {
      if (auto status = AddMaster(master, batch); !status) return status;
    }
    return Ok();
  }

 private:
  Status AddMaster(std::string_view master, Batch& batch) const {
    const auto folder = folder_ / master;
    const auto slaves = ReadFile(folder / "bonding/slaves");
    if (!slaves) return Fail(slaves.error());
    std::size_t count = 0;
    std::size_t active = 0;
    Fields fields(*slaves);
    for (auto slave = fields.Next(); !slave.empty(); slave = fields.Next()) {
      const std::string name(slave);
      auto state = ReadFile(folder / ("lower_" + name) / "bonding_slave/mii_status");
      // Kernels before 3.19 call it so.
      if (!state) state = ReadFile(folder / ("slave_" + name) / "bonding_slave/mii_status");
      if (!state) return Fail(state.error());
      ++count;
      if (Trim(*state) == "up") ++active;
    }
    batch.Add(kMetrics[0], {{"master", master}}, static_cast<double>(count));
    batch.Add(kMetrics[1], {{"master", master}}, static_cast<double>(active));
    return Ok();
  }

  const std::filesystem::path folder_;
  ProcFile masters_;
};

}  // namespace

std::unique_ptr<Collector> MakeBonding(const Paths& paths, config::MapReader&) {
  return std::make_unique<BondingCollector>(paths);
}

}  // namespace vigia::collectors::host
