// Batteries and mains, from /sys/class/power_supply.

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "collectors/host/part.h"
#include "collectors/host/sysfs.h"

namespace vigia::collectors::host {
namespace {

// An attribute and what it becomes: sysfs counts in millionths and tenths of degrees.
struct Attribute {
  std::string_view file;
  double divisor;
  Metric metric;
};

#define ATTRIBUTE(file, divisor, name, help)                  \
  Attribute {                                                 \
    file, divisor, Metric { "node_power_supply_" name, help } \
  }

constexpr std::array kAttributes{
    ATTRIBUTE("authentic", 1, "authentic", "Whether the battery is what it says."),
    ATTRIBUTE("calibrate", 1, "calibrate", "Whether the battery is being calibrated."),
    ATTRIBUTE("capacity", 1, "capacity", "Charge in percent."),
    ATTRIBUTE("capacity_alert_max", 1, "capacity_alert_max", "Highest charge without an alert."),
    ATTRIBUTE("capacity_alert_min", 1, "capacity_alert_min", "Lowest charge without an alert."),
    ATTRIBUTE("cycle_count", 1, "cyclecount", "Times that the battery was charged."),
    ATTRIBUTE("online", 1, "online", "Whether the supply feeds the machine."),
    ATTRIBUTE("present", 1, "present", "Whether the battery is there."),
    ATTRIBUTE("time_to_empty_now", 1, "time_to_empty_seconds", "Until the battery is empty."),
    ATTRIBUTE("time_to_full_now", 1, "time_to_full_seconds", "Until the battery is full."),
    ATTRIBUTE("current_boot", 1e6, "current_boot", "Current at boot in amperes."),
    ATTRIBUTE("current_max", 1e6, "current_max", "Highest current in amperes."),
    ATTRIBUTE("current_now", 1e6, "current_ampere", "Current in amperes."),
    ATTRIBUTE("energy_empty", 1e6, "energy_empty", "Energy when empty in watt-hours."),
    ATTRIBUTE("energy_empty_design", 1e6, "energy_empty_design",
              "Energy when empty by design, in watt-hours."),
    ATTRIBUTE("energy_full", 1e6, "energy_full", "Energy when full in watt-hours."),
    ATTRIBUTE("energy_full_design", 1e6, "energy_full_design",
              "Energy when full by design, in watt-hours."),
    ATTRIBUTE("energy_now", 1e6, "energy_watthour", "Energy in watt-hours."),
    ATTRIBUTE("voltage_boot", 1e6, "voltage_boot", "Voltage at boot in volts."),
    ATTRIBUTE("voltage_max", 1e6, "voltage_max", "Highest voltage in volts."),
    ATTRIBUTE("voltage_max_design", 1e6, "voltage_max_design",
              "Highest voltage by design, in volts."),
    ATTRIBUTE("voltage_min", 1e6, "voltage_min", "Lowest voltage in volts."),
    ATTRIBUTE("voltage_min_design", 1e6, "voltage_min_design",
              "Lowest voltage by design, in volts."),
    ATTRIBUTE("voltage_now", 1e6, "voltage_volt", "Voltage in volts."),
    ATTRIBUTE("voltage_ocv", 1e6, "voltage_ocv", "Voltage without a load, in volts."),
    ATTRIBUTE("charge_control_limit", 1e6, "charge_control_limit", "Limit while charging."),
    ATTRIBUTE("charge_control_limit_max", 1e6, "charge_control_limit_max",
              "Highest limit while charging."),
    ATTRIBUTE("charge_counter", 1e6, "charge_counter", "Charge counted, in ampere-hours."),
    ATTRIBUTE("charge_empty", 1e6, "charge_empty", "Charge when empty in ampere-hours."),
    ATTRIBUTE("charge_empty_design", 1e6, "charge_empty_design",
              "Charge when empty by design, in ampere-hours."),
    ATTRIBUTE("charge_full", 1e6, "charge_full", "Charge when full in ampere-hours."),
    ATTRIBUTE("charge_full_design", 1e6, "charge_full_design",
              "Charge when full by design, in ampere-hours."),
    ATTRIBUTE("charge_now", 1e6, "charge_ampere", "Charge in ampere-hours."),
    ATTRIBUTE("charge_term_current", 1e6, "charge_term_current",
              "Current at which charging ends, in amperes."),
    ATTRIBUTE("constant_charge_current", 1e6, "constant_charge_current",
              "Charging current in amperes."),
    ATTRIBUTE("constant_charge_current_max", 1e6, "constant_charge_current_max",
              "Highest charging current in amperes."),
    ATTRIBUTE("constant_charge_voltage", 1e6, "constant_charge_voltage",
              "Charging voltage in volts."),
    ATTRIBUTE("constant_charge_voltage_max", 1e6, "constant_charge_voltage_max",
              "Highest charging voltage in volts."),
    ATTRIBUTE("precharge_current", 1e6, "precharge_current", "Precharging current in amperes."),
    ATTRIBUTE("input_current_limit", 1e6, "input_current_limit", "Input limit in amperes."),
    ATTRIBUTE("power_now", 1e6, "power_watt", "Power in watts."),
    ATTRIBUTE("temp", 10, "temp_celsius", "Temperature in degrees Celsius."),
    ATTRIBUTE("temp_alert_max", 10, "temp_alert_max_celsius",
              "Highest temperature without an alert."),
    ATTRIBUTE("temp_alert_min", 10, "temp_alert_min_celsius",
              "Lowest temperature without an alert."),
    ATTRIBUTE("temp_ambient", 10, "temp_ambient_celsius", "Temperature around the battery."),
    ATTRIBUTE("temp_ambient_max", 10, "temp_ambient_max_celsius",
              "Highest temperature around the battery without an alert."),
    ATTRIBUTE("temp_ambient_min", 10, "temp_ambient_min_celsius",
              "Lowest temperature around the battery without an alert."),
    ATTRIBUTE("temp_max", 10, "temp_max_celsius", "Highest temperature to work at."),
    ATTRIBUTE("temp_min", 10, "temp_min_celsius", "Lowest temperature to work at."),
};

#undef ATTRIBUTE

constexpr Metric kInfo{"node_power_supply_info", "Kind, maker and state of the supply; always 1."};

// Labels of kInfo, which are those of the files.
constexpr std::array<std::string_view, 11> kTexts{
    "capacity_level", "charge_type", "health",     "manufacturer", "model_name", "scope",
    "serial_number",  "status",      "technology", "type",         "usb_type"};

struct Number {
  const Attribute* attribute;
  SysFile file;
};

struct Text {
  std::string_view label;
  SysFile file;
};

struct Supply {
  std::string name;
  std::vector<Number> numbers;
  std::vector<Text> texts;
};

class PowersupplyCollector final : public Collector {
 public:
  explicit PowersupplyCollector(const Paths& paths)
      : supplies_(paths.sysfs / "class/power_supply") {
    for (const auto& attribute : kAttributes) metrics_.push_back(attribute.metric);
    metrics_.push_back(kInfo);
  }

  std::span<const Metric> Metrics() const override { return metrics_; }

  Status Collect(Deadline, Batch& batch) override {
    for (auto& supply : supplies_.Refresh(Open)) {
      for (auto& [attribute, file] : supply.numbers) {
        const auto number = file.ReadNumber();
        if (!number) return Fail(number.error());
        if (!*number) continue;
        batch.Add(attribute->metric, {{"power_supply", supply.name}},
                  static_cast<double>(**number) / attribute->divisor);
      }
      AddInfo(supply, batch);
    }
    return Ok();
  }

 private:
  // Opens what the supply has: few have much.
  static std::optional<Supply> Open(const std::string& name, const std::filesystem::path& folder) {
    Supply supply{name, {}, {}};
    std::error_code ignored;
    for (const auto& attribute : kAttributes) {
      if (!std::filesystem::exists(folder / attribute.file, ignored)) continue;
      supply.numbers.push_back({&attribute, SysFile(folder / attribute.file)});
    }
    for (const auto label : kTexts) {
      if (!std::filesystem::exists(folder / label, ignored)) continue;
      supply.texts.push_back({label, SysFile(folder / label)});
    }
    return supply;
  }

  static void AddInfo(Supply& supply, Batch& batch) {
    std::array<std::array<char, 128>, kTexts.size()> buffers;
    std::array<LabelView, kTexts.size() + 1> labels;
    std::size_t count = 0;
    labels[count++] = {"power_supply", supply.name};
    for (auto& [label, file] : supply.texts) {
      const auto text = file.Read(buffers[count - 1]);
      if (text) labels[count++] = {label, *text};
    }
    batch.Add(kInfo, std::span<const LabelView>(labels.data(), count), 1);
  }

  SysDevices<Supply> supplies_;
  std::vector<Metric> metrics_;
};

}  // namespace

std::unique_ptr<Collector> MakePowersupply(const Paths& paths, config::MapReader&) {
  return std::make_unique<PowersupplyCollector>(paths);
}

}  // namespace vigia::collectors::host
