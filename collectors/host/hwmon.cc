// Sensors of the mainboard and its devices (temperatures, voltages, fans), from /sys/class/hwmon.
// Reading one may take milliseconds on a slow bus.
//
// Options: chip_include or chip_exclude (regular expressions for the label "chip").

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <vector>

#include "collectors/host/name_filter.h"
#include "collectors/host/part.h"
#include "collectors/host/sysfs.h"
#include "core/metric_table.h"
#include "core/number.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_hwmon_chip_names", "What the driver calls the chip; always 1."},
    Metric{"node_hwmon_sensor_label", "What the chip calls the sensor; always 1."},
    Metric{"node_hwmon_<sensor>", "Readings, limits and alarms of the chips' sensors."},
    Metric{"node_hwmon_<sensor>_joule_total", "Energy that the sensors counted.",
           MetricType::kCounter},
};
constexpr const Metric& kChipNames = kMetrics[0];
constexpr const Metric& kSensorLabel = kMetrics[1];

constexpr std::array<std::string_view, 13> kSensorTypes{
    "vrm",  "beep_enable", "update_interval", "in",     "cpu",      "fan",      "pwm",
    "temp", "curr",        "power",           "energy", "humidity", "intrusion"};

// "temp1_input" is property "input" of sensor "temp1", whose type is "temp".
struct FileName {
  std::string type;
  std::string sensor;
  std::string property;
};

std::optional<FileName> ParseFileName(std::string_view file) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto digits = std::find_if(file.begin(), file.end(), is_digit);
  const auto rest = std::find_if_not(digits, file.end(), is_digit);
  if (rest != file.end() && *rest != '_') return std::nullopt;
  FileName name;
  name.type.assign(file.begin(), digits);
  if (std::find(kSensorTypes.begin(), kSensorTypes.end(), name.type) == kSensorTypes.end()) {
    return std::nullopt;
  }
  name.sensor = name.type + (digits == rest ? "0" : std::string(digits, rest));
  if (rest != file.end()) name.property.assign(rest + 1, file.end());
  return name;
}

// Lower case, anything else than letters, digits and ':' as '_', none of these at the ends.
std::string CleanName(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    const bool fits = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9') ||
                      lower == ':' || lower == '_';
    name += fits ? lower : '_';
  }
  const std::size_t begin = name.find_first_not_of('_');
  if (begin == name.npos) return {};
  return name.substr(begin, name.find_last_not_of('_') - begin + 1);
}

// What a property becomes: Documentation/hwmon/sysfs-interface.rst has the units.
struct Meaning {
  std::string metric;
  std::string help;
  double divisor = 1;
  MetricType type = MetricType::kGauge;
};

Meaning MeaningOf(const FileName& file, bool has_plain_value) {
  const auto& [type, sensor, property] = file;
  if (type == "beep_enable") return {"node_hwmon_beep_enabled", "Whether the chip may beep.", 1};
  if (type == "vrm") return {"node_hwmon_voltage_regulator_version", "Version of the regulator."};
  if (type == "update_interval") {
    return {"node_hwmon_update_interval_seconds", "How often the chip updates its readings.", 1000};
  }
  std::string name = "node_hwmon_" + type;
  if (property == "input") {
    if (has_plain_value) name += "_input";
  } else if (!property.empty()) {
    name += "_" + CleanName(property);
  }
  const std::string of = property.empty() || property == "input" ? "Reading" : "'" + property + "'";
  const auto help = [&](const char* what) { return of + " of the " + what + "."; };
  if (property == "fault" || property == "alarm") return {name, help((type + " sensor").c_str())};
  if (property == "beep") return {name + "_enabled", "Whether the sensor may beep."};
  if (type == "in" || type == "cpu") return {name + "_volts", help("voltage sensor"), 1000};
  if (type == "temp" && property != "type") {
    return {name + "_celsius", help("temperature sensor, in degrees Celsius"), 1000};
  }
  if (type == "curr") return {name + "_amps", help("current sensor"), 1000};
  if (type == "energy") {
    return {name + "_joule_total", help("energy meter"), 1e6, MetricType::kCounter};
  }
  if (type == "power" && property == "accuracy")
    return {name, help("power meter, as a ratio"), 1e6};
  if (type == "power" && property.starts_with("average_interval")) {
    return {name + "_seconds", help("power meter"), 1000};
  }
  if (type == "power") return {name + "_watt", help("power meter"), 1e6};
  if (type == "humidity") return {name, help("humidity sensor, as a ratio"), 1e6};
  if (type == "fan" &&
      (property == "input" || property == "min" || property == "max" || property == "target")) {
    return {name + "_rpm", help("fan, in turns per minute")};
  }
  return {name, help((type + " sensor").c_str())};
}

struct Value {
  const Metric* metric;
  double divisor;
  std::string sensor;
  SysFile file;
};

struct SensorLabel {
  std::string sensor;
  std::string text;
};

struct Chip {
  std::string label;  // stable: the device's place
  std::string name;   // the driver's; may be empty
  std::vector<SensorLabel> sensor_labels;
  std::vector<Value> values;
};

std::string ReadText(const std::filesystem::path& path) {
  SysBuffer buffer;
  return std::string(SysFile(path).Read(buffer).value_or(""));
}

// The numbers of hwmon folders depend on the order in which drivers were loaded; the device's
// place on its bus does not.
std::string ChipLabel(const std::filesystem::path& folder, const std::string& driver_name) {
  std::error_code error;
  const auto device = std::filesystem::canonical(folder / "device", error);
  if (!error) {
    const auto bus = CleanName(device.parent_path().filename().string());
    const auto place = CleanName(device.filename().string());
    if (!bus.empty() && !place.empty()) return bus + "_" + place;
    if (!place.empty()) return place;
  }
  return driver_name.empty() ? CleanName(folder.filename().string()) : driver_name;
}

class HwmonCollector final : public Collector {
 public:
  HwmonCollector(const Paths& paths, config::MapReader& options)
      : chips_(paths.sysfs / "class/hwmon"),
        wanted_(NameFilter::Read(options, "chip", "")) {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline deadline, Batch& batch) override {
    auto& chips = chips_.Refresh(
        [this](const std::string&, const std::filesystem::path& folder) { return Open(folder); });
    for (auto& chip : chips) {
      if (deadline.Passed()) return Fail(ErrorCode::kTimeout, chip.label + ": not read in time");
      AddChip(chip, batch);
    }
    return Ok();
  }

 private:
  std::optional<Chip> Open(const std::filesystem::path& folder) {
    Chip chip;
    chip.name = CleanName(ReadText(folder / "name"));
    chip.label = ChipLabel(folder, chip.name);
    if (!wanted_.Accepts(chip.label)) return std::nullopt;
    OpenSensors(folder, chip);
    OpenSensors(folder / "device", chip);  // where drivers before Linux 3.13 put them
    return chip;
  }

  void OpenSensors(const std::filesystem::path& folder, Chip& chip) {
    SysFolder files(folder);
    files.Refresh();
    const auto& entries = files.entries();
    for (const auto& entry : entries) {
      const auto file = entry.is_file ? ParseFileName(entry.name) : std::nullopt;
      if (!file) continue;
      if (file->property == "label") {
        chip.sensor_labels.push_back({file->sensor, ReadText(folder / entry.name)});
        continue;
      }
      // "pwm1" beside "pwm1_input"
      const bool has_plain_value =
          file->property == "input" &&
          std::any_of(entries.begin(), entries.end(),
                      [&](const auto& other) { return other.name == file->sensor; });
      const auto meaning = MeaningOf(*file, has_plain_value);
      const auto& metric = table_.Get(meaning.metric, meaning.help, meaning.type);
      chip.values.push_back({&metric, meaning.divisor, file->sensor, SysFile(folder / entry.name)});
    }
  }

  static void AddChip(Chip& chip, Batch& batch) {
    if (!chip.name.empty()) {
      batch.Add(kChipNames, {{"chip", chip.label}, {"chip_name", chip.name}}, 1);
    }
    for (const auto& [sensor, text] : chip.sensor_labels) {
      batch.Add(kSensorLabel, {{"chip", chip.label}, {"label", text}, {"sensor", sensor}}, 1);
    }
    for (auto& value : chip.values) {
      std::array<char, 128> buffer;
      const auto text = value.file.Read(buffer);  // sensors fail now and then
      const auto number = text ? ParseDouble(*text) : Result<double>(0);
      if (!text || !number) continue;
      batch.Add(*value.metric, {{"chip", chip.label}, {"sensor", value.sensor}},
                *number / value.divisor);
    }
  }

  MetricTable table_;
  SysDevices<Chip> chips_;
  const NameFilter wanted_;
};

}  // namespace

std::unique_ptr<Collector> MakeHwmon(const Paths& paths, config::MapReader& options) {
  return std::make_unique<HwmonCollector>(paths, options);
}

}  // namespace vigia::collectors::host
