// The table of tracked connections, from /proc/sys/net/netfilter and
// /proc/net/stat/nf_conntrack.

#include <algorithm>
#include <array>

#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_nf_conntrack_entries", "Connections in the table."},
    Metric{"node_nf_conntrack_entries_limit", "Connections that the table can hold."},
    Metric{"node_nf_conntrack_stat_found", "Searches of the table that found an entry."},
    Metric{"node_nf_conntrack_stat_invalid", "Packets that cannot be tracked."},
    Metric{"node_nf_conntrack_stat_ignore", "Packets that belong to a known connection."},
    Metric{"node_nf_conntrack_stat_insert", "Entries put into the table."},
    Metric{"node_nf_conntrack_stat_insert_failed",
           "Entries that could not be put into the table, as when there is one already."},
    Metric{"node_nf_conntrack_stat_drop",
           "Packets dropped because their connection could not be tracked."},
    Metric{"node_nf_conntrack_stat_early_drop",
           "Entries removed to make room when the table was full."},
    Metric{"node_nf_conntrack_stat_search_restart",
           "Searches of the table begun again because it was resized."},
};
constexpr std::size_t kFirstStat = 2;
constexpr std::string_view kStatPrefix = "node_nf_conntrack_stat_";
constexpr std::size_t kMaxColumns = 64;

class ConntrackCollector final : public Collector {
 public:
  explicit ConntrackCollector(const Paths& paths)
      : files_{ProcFile(paths.procfs / "sys/net/netfilter/nf_conntrack_count"),
               ProcFile(paths.procfs / "sys/net/netfilter/nf_conntrack_max")},
        stat_(paths.procfs / "net/stat/nf_conntrack") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  // Without the module there are no such files; in a container some may be hidden.
  Status Collect(Deadline, Batch& batch) override {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const auto text = files_[i].ReadIfPresent();
      if (!text) return Fail(text.error());
      if (!*text) continue;
      const auto value = ParseNumber(Trim(**text));
      if (!value) return Fail(NotANumber(files_[i].path(), Trim(**text)));
      batch.Add(kMetrics[i], static_cast<double>(*value));
    }
    return AddStatistics(batch);
  }

 private:
  // A line of names, then one of hexadecimal numbers for each CPU.
  Status AddStatistics(Batch& batch) {
    const auto text = stat_.ReadIfPresent();
    if (!text) return Fail(text.error());
    Lines lines(text->value_or(""));
    const auto names = lines.Next();
    if (!names) return Ok();
    std::array<std::uint64_t, kMaxColumns> sums{};
    while (const auto line = lines.Next()) {
      Fields fields(*line);
      for (auto& sum : sums) {
        const auto field = fields.Next();
        if (field.empty()) break;
        const auto value = ParseNumber(field, 16);
        if (!value) return Fail(NotANumber(stat_.path(), field));
        sum += *value;
      }
    }
    Fields fields(*names);
    for (const auto sum : sums) {
      const auto name = fields.Next();
      const auto at = std::find_if(
          kMetrics.begin() + kFirstStat, kMetrics.end(),
          [&](const Metric& metric) { return metric.name.substr(kStatPrefix.size()) == name; });
      if (at != kMetrics.end()) batch.Add(*at, static_cast<double>(sum));
    }
    return Ok();
  }

  std::array<ProcFile, kFirstStat> files_;
  ProcFile stat_;
};

}  // namespace

std::unique_ptr<Collector> MakeConntrack(const Paths& paths, config::MapReader&) {
  return std::make_unique<ConntrackCollector>(paths);
}

}  // namespace vigia::collectors::host
