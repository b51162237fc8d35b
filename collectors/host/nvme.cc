// NVMe controllers and their state, from /sys/class/nvme.

#include <array>
#include <optional>
#include <string>

#include "collectors/host/part.h"
#include "collectors/host/sysfs.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_nvme_info", "Model, firmware and state of the controller; always 1."}};

struct Controller {
  std::string name;
  std::string firmware;
  std::string model;
  std::string serial;
  SysFile state;
};

class NvmeCollector final : public Collector {
 public:
  explicit NvmeCollector(const Paths& paths) : controllers_(paths.sysfs / "class/nvme") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    for (auto& controller : controllers_.Refresh(Open)) {
      std::array<char, 64> buffer;
      const auto state = controller.state.Read(buffer);
      if (!state) continue;  // it was pulled out
      batch.Add(kMetrics[0],
                {{"device", controller.name},
                 {"firmware_revision", controller.firmware},
                 {"model", controller.model},
                 {"serial", controller.serial},
                 {"state", *state}},
                1);
    }
    return Ok();
  }

 private:
  static std::optional<Controller> Open(const std::string& name,
                                        const std::filesystem::path& folder) {
    const auto read = [&](const char* file) {
      SysBuffer buffer;
      return std::string(SysFile(folder / file).Read(buffer).value_or(""));
    };
    return Controller{name, read("firmware_rev"), read("model"), read("serial"),
                      SysFile(folder / "state")};
  }

  SysDevices<Controller> controllers_;
};

}  // namespace

std::unique_ptr<Collector> MakeNvme(const Paths& paths, config::MapReader&) {
  return std::make_unique<NvmeCollector>(paths);
}

}  // namespace vigia::collectors::host
