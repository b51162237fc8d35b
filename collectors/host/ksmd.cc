// Memory that the kernel shares between guests (KSM), from /sys/kernel/mm/ksm. Off by default.

#include <array>
#include <vector>

#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_ksmd_full_scans_total", "How often all memory was scanned.", MetricType::kCounter},
    Metric{"node_ksmd_merge_across_nodes", "Whether pages of different NUMA nodes are merged."},
    Metric{"node_ksmd_pages_shared", "Pages that stand for several."},
    Metric{"node_ksmd_pages_sharing", "Pages saved."},
    Metric{"node_ksmd_pages_to_scan", "Pages scanned before each sleep."},
    Metric{"node_ksmd_pages_unshared", "Pages that have no equal."},
    Metric{"node_ksmd_pages_volatile", "Pages that change too fast."},
    Metric{"node_ksmd_run", "Whether it runs (1), is stopped (0) or undone (2)."},
    Metric{"node_ksmd_sleep_seconds", "Seconds between two scans."},
};
constexpr std::array<std::string_view, kMetrics.size()> kFiles{
    "full_scans",     "merge_across_nodes", "pages_shared", "pages_sharing",  "pages_to_scan",
    "pages_unshared", "pages_volatile",     "run",          "sleep_millisecs"};

class KsmdCollector final : public Collector {
 public:
  explicit KsmdCollector(const Paths& paths) {
    for (const auto file : kFiles) files_.emplace_back(paths.sysfs / "kernel/mm/ksm" / file);
  }

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const auto text = files_[i].ReadIfPresent();  // a kernel may lack KSM, or NUMA
      if (!text) return Fail(text.error());
      if (!*text) continue;
      const auto value = ParseNumber(Trim(**text));
      if (!value) return Fail(NotANumber(files_[i].path(), Trim(**text)));
      const bool milliseconds = i + 1 == files_.size();
      batch.Add(kMetrics[i], static_cast<double>(*value) / (milliseconds ? 1000 : 1));
    }
    return Ok();
  }

 private:
  std::vector<ProcFile> files_;
};

}  // namespace

std::unique_ptr<Collector> MakeKsmd(const Paths& paths, config::MapReader&) {
  return std::make_unique<KsmdCollector>(paths);
}

}  // namespace vigia::collectors::host
