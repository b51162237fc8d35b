// What the firmware says of the machine (DMI), from /sys/class/dmi/id. Read once: it stays the
// same until the next boot.

#include <array>
#include <string>
#include <vector>

#include "collectors/host/part.h"
#include "collectors/host/sysfs.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_dmi_info", "Vendors, models, versions and serial numbers; always 1."}};

// Names of labels, which are those of the files but for the last.
constexpr std::array<std::string_view, 20> kLabels{
    "bios_date",      "bios_release",   "bios_vendor",     "bios_version",    "board_asset_tag",
    "board_name",     "board_serial",   "board_vendor",    "board_version",   "chassis_asset_tag",
    "chassis_serial", "chassis_vendor", "chassis_version", "product_family",  "product_name",
    "product_serial", "product_sku",    "product_uuid",    "product_version", "system_vendor"};

class DmiCollector final : public Collector {
 public:
  explicit DmiCollector(const Paths& paths) : folder_(paths.sysfs / "class/dmi/id") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    if (!read_) Read();
    if (!labels_.empty()) batch.Add(kMetrics[0], labels_, 1);
    return Ok();
  }

 private:
  void Read() {
    read_ = true;
    values_.reserve(kLabels.size());
    for (const auto label : kLabels) {
      SysBuffer buffer;
      SysFile file(folder_ / (label == "system_vendor" ? "sys_vendor" : label));
      const auto value = file.Read(buffer);
      if (!value) continue;  // serial numbers are for root only
      values_.emplace_back(*value);
      labels_.push_back({label, values_.back()});
    }
  }

  const std::filesystem::path folder_;
  bool read_ = false;
  std::vector<std::string> values_;
  std::vector<LabelView> labels_;  // views into values_
};

}  // namespace

std::unique_ptr<Collector> MakeDmi(const Paths& paths, config::MapReader&) {
  return std::make_unique<DmiCollector>(paths);
}

}  // namespace vigia::collectors::host
