// Counters of the network caches, from /proc/net/stat. Off by default.

#include <array>
#include <vector>

#include "collectors/host/folder.h"
#include "collectors/host/line_cache.h"
#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"
#include "core/metric_table.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_lnstat_<field>_total", "A field of the files in /proc/net/stat.",
           MetricType::kCounter},
};

class LnstatCollector final : public Collector {
 public:
  explicit LnstatCollector(const Paths& paths) : folder_(paths.procfs / "net/stat") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    const auto names = ListFolder(folder_);
    if (!names) return Fail(names.error());
    files_.Start();
    for (const auto& name : *names) {
      auto& file =
          files_.Next(name, [this](std::string_view of) { return ProcFile(folder_ / of); });
      if (auto status = AddFile(name, file, batch); !status) return status;
    }
    files_.Finish();
    return Ok();
  }

 private:
  // A line of names, then one of hexadecimal numbers for each CPU.
  Status AddFile(const std::string& subsystem, ProcFile& file, Batch& batch) {
    const auto text = file.ReadIfPresent();  // a module may just have been unloaded
    if (!text) return Fail(text.error());
    Lines lines(text->value_or(""));
    columns_.clear();
    Fields names(lines.Next().value_or(""));
    for (auto name = names.Next(); !name.empty(); name = names.Next()) {
      columns_.push_back(&MetricOf(name));
    }
    for (std::uint64_t cpu = 0; const auto line = lines.Next(); ++cpu) {
      Fields fields(*line);
      for (const Metric* metric : columns_) {
        const auto field = fields.Next();
        const auto value = ParseNumber(field, 16);
        if (!value) return Fail(NotANumber(file.path(), field));
        batch.Add(*metric, {{"subsystem", subsystem}, {"cpu", Decimal(cpu)}},
                  static_cast<double>(*value));
      }
    }
    return Ok();
  }

  const Metric& MetricOf(std::string_view field) {
    return metrics_.Get("node_lnstat_" + MetricNamePart(field) + "_total",
                        "Field " + std::string(field) + " of the files in /proc/net/stat.",
                        MetricType::kCounter);
  }

  const std::filesystem::path folder_;
  LineCache<ProcFile> files_;
  MetricTable metrics_;
  std::vector<const Metric*> columns_;  // of the file being read
};

}  // namespace

std::unique_ptr<Collector> MakeLnstat(const Paths& paths, config::MapReader&) {
  return std::make_unique<LnstatCollector>(paths);
}

}  // namespace vigia::collectors::host
