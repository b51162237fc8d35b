// Counters of the virtual memory system, from /proc/vmstat.

#include <array>

#include "collectors/host/line_cache.h"
#include "collectors/host/name_filter.h"
#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"
#include "core/metric_table.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_vmstat_<field>", "A field of /proc/vmstat.", MetricType::kUnknown},
};

class VmstatCollector final : public Collector {
 public:
  VmstatCollector(const Paths& paths, config::MapReader& options)
      : file_(paths.procfs / "vmstat"),
        wanted_(NameFilter::ReadInclude(options, "fields", "^(oom_kill|pgpg|pswp|pg.*fault).*")) {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    const auto text = file_.Read();
    if (!text) return Fail(text.error());
    fields_.Start();
    Lines lines(*text);
    while (const auto line = lines.Next()) {  // "pgfault 6437"
      const auto space = line->find(' ');
      const Metric* metric = fields_.Next(
          line->substr(0, space), [this](std::string_view field) { return MetricOf(field); });
      if (!metric) continue;
      const auto number = space == line->npos ? std::string_view() : line->substr(space + 1);
      const auto value = ParseNumber(number);
      if (!value) return Fail(NotANumber(file_.path(), number));
      batch.Add(*metric, static_cast<double>(*value));
    }
    fields_.Finish();
    return Ok();
  }

 private:
  // Null for a field that nobody wants.
  const Metric* MetricOf(std::string_view field) {
    if (!wanted_.Accepts(field)) return nullptr;
    const auto help = "Field " + std::string(field) + " of /proc/vmstat.";
    return &metrics_.Get("node_vmstat_" + MetricNamePart(field), help, MetricType::kUnknown);
  }

  ProcFile file_;
  const NameFilter wanted_;
  MetricTable metrics_;
  LineCache<const Metric*> fields_;
};

}  // namespace

std::unique_ptr<Collector> MakeVmstat(const Paths& paths, config::MapReader& options) {
  return std::make_unique<VmstatCollector>(paths, options);
}

}  // namespace vigia::collectors::host
