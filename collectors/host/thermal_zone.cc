// Temperatures and cooling of the thermal framework, from /sys/class/thermal.

#include <array>
#include <optional>
#include <string>

#include "collectors/host/part.h"
#include "collectors/host/sysfs.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_thermal_zone_temp", "Temperature of the zone in degrees Celsius."},
    Metric{"node_cooling_device_cur_state", "How hard the device cools now."},
    Metric{"node_cooling_device_max_state", "How hard the device can cool."},
};

struct Device {
  bool is_zone;
  std::string number;
  std::string type;
  SysFile first;   // temp, or cur_state
  SysFile second;  // mode, or max_state
};

class ThermalZoneCollector final : public Collector {
 public:
  explicit ThermalZoneCollector(const Paths& paths) : devices_(paths.sysfs / "class/thermal") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    for (auto& device : devices_.Refresh(Open)) {
      auto status = device.is_zone ? AddZone(device, batch) : AddCooling(device, batch);
      if (!status) return status;
    }
    return Ok();
  }

 private:
  static std::optional<Device> Open(const std::string& name, const std::filesystem::path& folder) {
    SysBuffer buffer;
    SysFile type(folder / "type");
    const auto make = [&](bool is_zone, std::size_t prefix, const char* first, const char* second) {
      return Device{is_zone, name.substr(prefix), std::string(type.Read(buffer).value_or("")),
                    SysFile(folder / first), SysFile(folder / second)};
    };
    if (name.starts_with("thermal_zone")) return make(true, 12, "temp", "mode");
    if (name.starts_with("cooling_device")) return make(false, 14, "cur_state", "max_state");
    return std::nullopt;
  }

  static Status AddZone(Device& zone, Batch& batch) {
    SysBuffer buffer;
    if (zone.second.Read(buffer) == "disabled") return Ok();
    const auto temperature = zone.first.ReadNumber();  // 1/1000 degree; fails while it sleeps
    if (!temperature) return Fail(temperature.error());
    if (*temperature) {
      batch.Add(kMetrics[0], {{"type", zone.type}, {"zone", zone.number}},
                static_cast<double>(**temperature) / 1000);
    }
    return Ok();
  }

  static Status AddCooling(Device& device, Batch& batch) {
    for (const bool first : {true, false}) {
      const auto state = (first ? device.first : device.second).ReadNumber();
      if (!state) return Fail(state.error());
      if (!*state) continue;
      batch.Add(kMetrics[first ? 1 : 2], {{"name", device.number}, {"type", device.type}},
                static_cast<double>(**state));
    }
    return Ok();
  }

  SysDevices<Device> devices_;
};

}  // namespace

std::unique_ptr<Collector> MakeThermalZone(const Paths& paths, config::MapReader&) {
  return std::make_unique<ThermalZoneCollector>(paths);
}

}  // namespace vigia::collectors::host
