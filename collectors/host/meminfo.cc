// Memory of the machine, from /proc/meminfo.

#include <array>

#include "collectors/host/line_cache.h"
#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"
#include "core/metric_table.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_memory_<field>_bytes", "A field of /proc/meminfo that is given in kB."},
    Metric{"node_memory_<field>", "A field of /proc/meminfo without unit (counts of pages)."},
};

class MeminfoCollector final : public Collector {
 public:
  explicit MeminfoCollector(const Paths& paths) : file_(paths.procfs / "meminfo") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    const auto text = file_.Read();
    if (!text) return Fail(text.error());
    fields_.Start();
    Lines lines(*text);
    while (const auto line = lines.Next()) {
      if (auto status = AddLine(*line, batch); !status) return status;
    }
    fields_.Finish();
    return Ok();
  }

 private:
  // "MemTotal:       24683656 kB".
  Status AddLine(std::string_view line, Batch& batch) {
    const auto colon = line.find(':');
    if (colon == line.npos) {
      return Fail(Malformed(file_.path(), "'" + std::string(line) + "' has no colon"));
    }
    Fields rest(line.substr(colon + 1));
    const auto number = rest.Next();
    const auto unit = rest.Next();
    const auto value = ParseNumber(number);
    if (!value) return Fail(NotANumber(file_.path(), number));
    if (!unit.empty() && unit != "kB") {
      return Fail(Malformed(file_.path(), "unknown unit '" + std::string(unit) + "'"));
    }
    const bool bytes = !unit.empty();
    const Metric* metric = fields_.Next(
        line.substr(0, colon), [&](std::string_view field) { return &MetricOf(field, bytes); });
    batch.Add(*metric, static_cast<double>(*value) * (bytes ? 1024 : 1));
    return Ok();
  }

  const Metric& MetricOf(std::string_view field, bool bytes) {
    const auto name = "node_memory_" + MetricNamePart(field) + (bytes ? "_bytes" : "");
    const auto help = "Field " + std::string(field) + " of /proc/meminfo.";
    return metrics_.Get(name, help, MetricType::kGauge);
  }

  ProcFile file_;
  MetricTable metrics_;
  LineCache<const Metric*> fields_;
};

}  // namespace

std::unique_ptr<Collector> MakeMeminfo(const Paths& paths, config::MapReader&) {
  return std::make_unique<MeminfoCollector>(paths);
}

}  // namespace vigia::collectors::host
