// Pages of each zone of memory, from /proc/zoneinfo. Off by default.

#include <algorithm>
#include <array>

#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"
#include "core/metric_table.h"

namespace vigia::collectors::host {
namespace {

struct Field {
  std::string_view key;
  Metric metric;
};

constexpr auto kGauge = MetricType::kGauge;
constexpr auto kCounter = MetricType::kCounter;

// By key. What a zone's block says for its whole node appears with the node's first zone.
constexpr std::array kFields{
    Field{"high", {"node_zoneinfo_high_pages", "High watermark.", kGauge}},
    Field{"low", {"node_zoneinfo_low_pages", "Low watermark.", kGauge}},
    Field{"managed", {"node_zoneinfo_managed_pages", "Pages that the allocator has.", kGauge}},
    Field{"min", {"node_zoneinfo_min_pages", "Minimum watermark.", kGauge}},
    Field{"nr_active_anon",
          {"node_zoneinfo_nr_active_anon_pages", "Anonymous pages used lately.", kGauge}},
    Field{"nr_active_file",
          {"node_zoneinfo_nr_active_file_pages", "Pages of files used lately.", kGauge}},
    Field{"nr_anon_pages", {"node_zoneinfo_nr_anon_pages", "Anonymous pages.", kGauge}},
    Field{"nr_anon_transparent_hugepages",
          {"node_zoneinfo_nr_anon_transparent_hugepages", "Transparent huge pages.", kGauge}},
    Field{"nr_dirtied", {"node_zoneinfo_nr_dirtied_total", "Pages made dirty.", kCounter}},
    Field{"nr_dirty", {"node_zoneinfo_nr_dirty_pages", "Dirty pages.", kGauge}},
    Field{"nr_file_pages", {"node_zoneinfo_nr_file_pages", "Pages of files.", kGauge}},
    Field{"nr_free_pages", {"node_zoneinfo_nr_free_pages", "Free pages.", kGauge}},
    Field{"nr_inactive_anon",
          {"node_zoneinfo_nr_inactive_anon_pages", "Anonymous pages not used lately.", kGauge}},
    Field{"nr_inactive_file",
          {"node_zoneinfo_nr_inactive_file_pages", "Pages of files not used lately.", kGauge}},
    Field{"nr_isolated_anon",
          {"node_zoneinfo_nr_isolated_anon_pages", "Anonymous pages being reclaimed.", kGauge}},
    Field{"nr_isolated_file",
          {"node_zoneinfo_nr_isolated_file_pages", "Pages of files being reclaimed.", kGauge}},
    Field{"nr_kernel_stack", {"node_zoneinfo_nr_kernel_stacks", "Kernel stacks.", kGauge}},
    Field{"nr_mapped", {"node_zoneinfo_nr_mapped_pages", "Mapped pages.", kGauge}},
    Field{"nr_mlock_stack",
          {"node_zoneinfo_nr_mlock_stack_pages", "Locked pages taken off the lists.", kGauge}},
    Field{"nr_shmem", {"node_zoneinfo_nr_shmem_pages", "Pages of shared memory.", kGauge}},
    Field{"nr_slab_reclaimable",
          {"node_zoneinfo_nr_slab_reclaimable_pages", "Slab pages that can be freed.", kGauge}},
    Field{"nr_slab_unreclaimable",
          {"node_zoneinfo_nr_slab_unreclaimable_pages", "Slab pages that cannot.", kGauge}},
    Field{"nr_unevictable",
          {"node_zoneinfo_nr_unevictable_pages", "Pages that cannot be swapped out.", kGauge}},
    Field{"nr_writeback", {"node_zoneinfo_nr_writeback_pages", "Pages being written.", kGauge}},
    Field{"nr_written", {"node_zoneinfo_nr_written_total", "Pages written.", kCounter}},
    Field{"numa_foreign",
          {"node_zoneinfo_numa_foreign_total", "Wanted here, taken elsewhere.", kCounter}},
    Field{"numa_hit", {"node_zoneinfo_numa_hit_total", "Taken where wanted.", kCounter}},
    Field{"numa_interleave",
          {"node_zoneinfo_numa_interleave_total", "Taken here by interleaving.", kCounter}},
    Field{"numa_local", {"node_zoneinfo_numa_local_total", "Taken by the node itself.", kCounter}},
    Field{"numa_miss",
          {"node_zoneinfo_numa_miss_total", "Taken here, wanted elsewhere.", kCounter}},
    Field{"numa_other", {"node_zoneinfo_numa_other_total", "Taken by another node.", kCounter}},
    Field{"present", {"node_zoneinfo_present_pages", "Pages that exist.", kGauge}},
    Field{"scanned", {"node_zoneinfo_scanned_pages", "Pages scanned since reclaim.", kGauge}},
    Field{"spanned", {"node_zoneinfo_spanned_pages", "Pages, with holes.", kGauge}},
};
constexpr Metric kProtection{"node_zoneinfo_protection_<index>",
                             "Pages kept from allocations meant for a higher zone."};

constexpr auto kMetrics = [] {
  std::array<Metric, kFields.size() + 1> metrics;
  for (std::size_t i = 0; i < kFields.size(); ++i) metrics[i] = kFields[i].metric;
  metrics.back() = kProtection;
  return metrics;
}();

class ZoneinfoCollector final : public Collector {
 public:
  explicit ZoneinfoCollector(const Paths& paths) : file_(paths.procfs / "zoneinfo") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    const auto text = file_.Read();
    if (!text) return Fail(text.error());
    Zone zone;
    Lines lines(*text);
    while (const auto line = lines.Next()) {
      Fields fields(*line);
      const auto key = fields.Next();
      if (key == "Node") {  // "Node 0, zone      DMA"
        const auto node = fields.Next();
        fields.Next();
        zone = {node.substr(0, node.find(',')), fields.Next()};
      } else if (key == "protection:") {
        if (auto status = AddProtection(zone, fields, batch); !status) return status;
      } else if (const auto* field = Find(key)) {
        const auto number = fields.Next();
        const auto value = ParseNumber(number);
        if (!value) return Fail(NotANumber(file_.path(), number));
        batch.Add(kMetrics[static_cast<std::size_t>(field - kFields.data())],
                  {{"node", zone.node}, {"zone", zone.name}}, static_cast<double>(*value));
      }
    }
    return Ok();
  }

 private:
  struct Zone {
    std::string_view node;
    std::string_view name;
  };

  static const Field* Find(std::string_view key) {
    const auto at = std::lower_bound(
        kFields.begin(), kFields.end(), key,
        [](const Field& field, std::string_view wanted) { return field.key < wanted; });
    return at != kFields.end() && at->key == key ? &*at : nullptr;
  }

  // "        protection: (0, 2991, 24104, 24104, 24104)".
  Status AddProtection(const Zone& zone, Fields& fields, Batch& batch) {
    std::size_t index = 0;
    for (auto field = fields.Next(); !field.empty(); field = fields.Next()) {
      while (!field.empty() && field.front() == '(') field.remove_prefix(1);
      while (!field.empty() && (field.back() == ',' || field.back() == ')')) field.remove_suffix(1);
      const auto value = ParseNumber(field);
      if (!value) return Fail(NotANumber(file_.path(), field));
      const auto& metric = protections_.Get("node_zoneinfo_protection_" + std::to_string(index++),
                                            kProtection.help, kGauge);
      batch.Add(metric, {{"node", zone.node}, {"zone", zone.name}}, static_cast<double>(*value));
    }
    return Ok();
  }

  ProcFile file_;
  MetricTable protections_;
};

}  // namespace

std::unique_ptr<Collector> MakeZoneinfo(const Paths& paths, config::MapReader&) {
  return std::make_unique<ZoneinfoCollector>(paths);
}

}  // namespace vigia::collectors::host
