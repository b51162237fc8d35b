// Memory errors that the controllers corrected or could not, from /sys/devices/system/edac/mc.

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "collectors/host/part.h"
#include "collectors/host/sysfs.h"

namespace vigia::collectors::host {
namespace {

constexpr auto kCounter = MetricType::kCounter;

constexpr std::array kMetrics{
    Metric{"node_edac_correctable_errors_total", "Memory errors that were corrected.", kCounter},
    Metric{"node_edac_uncorrectable_errors_total", "Memory errors that were not corrected.",
           kCounter},
    Metric{"node_edac_csrow_correctable_errors_total",
           "Memory errors of the chip-select row that were corrected.", kCounter},
    Metric{"node_edac_csrow_uncorrectable_errors_total",
           "Memory errors of the chip-select row that were not corrected.", kCounter},
};

struct Count {
  const Metric* metric;
  std::string row;  // empty: of the controller
  SysFile file;
};

struct Controller {
  std::string number;
  std::vector<Count> counts;
};

bool IsNumbered(std::string_view name, std::string_view prefix) {
  return name.starts_with(prefix) && name.size() > prefix.size() && name[prefix.size()] >= '0' &&
         name[prefix.size()] <= '9';
}

class EdacCollector final : public Collector {
 public:
  explicit EdacCollector(const Paths& paths)
      : controllers_(paths.sysfs / "devices/system/edac/mc") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    for (auto& controller : controllers_.Refresh(Open)) {
      for (auto& count : controller.counts) {
        const auto value = count.file.ReadNumber();
        if (!value) return Fail(value.error());
        if (!*value) continue;
        batch.Add(*count.metric, {{"controller", controller.number}, {"csrow", count.row}},
                  static_cast<double>(**value));
      }
    }
    return Ok();
  }

 private:
  static std::optional<Controller> Open(const std::string& name,
                                        const std::filesystem::path& folder) {
    if (!IsNumbered(name, "mc")) return std::nullopt;
    Controller controller{name.substr(2), {}};
    const auto add = [&](std::size_t metric, const std::string& row,
                         const std::filesystem::path& file) {
      controller.counts.push_back({&kMetrics[metric], row, SysFile(file)});
    };
    add(0, "", folder / "ce_count");
    add(1, "", folder / "ue_count");
    // Errors whose row the hardware could not tell.
    add(2, "unknown", folder / "ce_noinfo_count");
    add(3, "unknown", folder / "ue_noinfo_count");
    SysFolder rows(folder);
    rows.Refresh();
    for (const auto& entry : rows.entries()) {
      if (entry.is_file || !IsNumbered(entry.name, "csrow")) continue;
      add(2, entry.name.substr(5), folder / entry.name / "ce_count");
      add(3, entry.name.substr(5), folder / entry.name / "ue_count");
    }
    return controller;
  }

  SysDevices<Controller> controllers_;
};

}  // namespace

std::unique_ptr<Collector> MakeEdac(const Paths& paths, config::MapReader&) {
  return std::make_unique<EdacCollector>(paths);
}

}  // namespace vigia::collectors::host
