// Whether SELinux is on, in which mode, and how its access vector cache (AVC) does, from
// /sys/fs/selinux.

#include <array>

#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/sysfs.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

constexpr auto kGauge = MetricType::kGauge;
constexpr auto kCounter = MetricType::kCounter;

constexpr std::array kMetrics{
    Metric{"node_selinux_enabled", "Whether SELinux is on."},
    Metric{"node_selinux_config_mode",
           "Mode by the configuration: 1 enforcing, 0 permissive, -1 off."},
    Metric{"node_selinux_current_mode", "Mode now: 1 enforcing, 0 permissive, -1 off."},
    Metric{"node_selinux_avc_hash_entries", "Entries in the AVC."},
    Metric{"node_selinux_avc_hash_buckets_available", "Buckets of the AVC's hash table."},
    Metric{"node_selinux_avc_hash_buckets_used", "Buckets of the AVC's hash table in use."},
    Metric{"node_selinux_avc_hash_longest_chain", "Entries in the fullest bucket of the AVC."},
    Metric{"node_selinux_avc_threshold", "Entries above which the AVC reclaims some."},
};

// The columns of avc/cache_stats, where each CPU has a line.
constexpr std::array kCacheMetrics{
    Metric{"node_selinux_avc_lookups_total", "Lookups in the AVC.", kCounter},
    Metric{"node_selinux_avc_hits_total", "Lookups that the AVC answered.", kCounter},
    Metric{"node_selinux_avc_misses_total", "Lookups that the AVC could not answer.", kCounter},
    Metric{"node_selinux_avc_allocations_total", "Entries put into the AVC.", kCounter},
    Metric{"node_selinux_avc_reclaims_total", "Entries reclaimed by the AVC.", kCounter},
    Metric{"node_selinux_avc_frees_total", "Entries taken out of the AVC.", kCounter},
};

class SelinuxCollector final : public Collector {
 public:
  explicit SelinuxCollector(const Paths& paths)
      : enforce_(paths.sysfs / "fs/selinux/enforce"),
        context_(paths.procfs / "self/attr/current"),
        config_(paths.rootfs / "etc/selinux/config"),
        cache_stats_(paths.sysfs / "fs/selinux/avc/cache_stats"),
        hash_stats_(paths.sysfs / "fs/selinux/avc/hash_stats"),
        threshold_(paths.sysfs / "fs/selinux/avc/cache_threshold") {
    metrics_.insert(metrics_.end(), kMetrics.begin(), kMetrics.end());
    metrics_.insert(metrics_.end(), kCacheMetrics.begin(), kCacheMetrics.end());
  }

  std::span<const Metric> Metrics() const override { return metrics_; }

  Status Collect(Deadline, Batch& batch) override {
    const auto mode = CurrentMode();
    batch.Add(kMetrics[0], mode ? 1 : 0);
    if (!mode) return Ok();
    batch.Add(kMetrics[1], ConfiguredMode());
    batch.Add(kMetrics[2], *mode);
    if (auto status = AddCacheStats(batch); !status) return status;
    if (auto status = AddHashStats(batch); !status) return status;
    const auto text = threshold_.Read();
    if (!text) return Fail(text.error());
    const auto threshold = ParseNumber(Trim(*text));
    if (!threshold) return Fail(NotANumber(threshold_.path(), Trim(*text)));
    batch.Add(kMetrics[7], static_cast<double>(*threshold));
    return Ok();
  }

 private:
  // Nothing if SELinux is off.
  std::optional<double> CurrentMode() {
    SysBuffer buffer;
    const auto text = enforce_.Read(buffer);
    if (!text) return std::nullopt;
    const double mode = *text == "1" ? 1 : 0;
    // Loaded, but without a policy: everything runs as "kernel".
    const auto context = context_.Read(buffer);
    if (context && context->substr(0, context->find('\0')) == "kernel") return std::nullopt;
    return mode;
  }

  double ConfiguredMode() {
    const auto text = config_.Read();
    if (!text) return -1;
    Lines lines(*text);
    double mode = -1;
    while (const auto line = lines.Next()) {
      if (!line->starts_with("SELINUX=")) continue;
      const auto word = Trim(line->substr(8));
      mode = word == "enforcing" ? 1 : word == "permissive" ? 0 : -1;
    }
    return mode;
  }

  Status AddCacheStats(Batch& batch) {
    const auto text = cache_stats_.Read();
    if (!text) return Fail(text.error());
    std::array<double, kCacheMetrics.size()> sums{};
    Lines lines(*text);
    lines.Next();  // "lookups hits misses allocations reclaims frees"
    while (const auto line = lines.Next()) {
      Fields fields(*line);
      for (auto& sum : sums) {
        const auto field = fields.Next();
        const auto value = ParseNumber(field);
        if (!value) return Fail(NotANumber(cache_stats_.path(), field));
        sum += static_cast<double>(*value);
      }
    }
    for (std::size_t i = 0; i < sums.size(); ++i) batch.Add(kCacheMetrics[i], sums[i]);
    return Ok();
  }

  // "entries: 503\nbuckets used: 283/512\nlongest chain: 7\n"
  Status AddHashStats(Batch& batch) {
    const auto text = hash_stats_.Read();
    if (!text) return Fail(text.error());
    Lines lines(*text);
    while (const auto line = lines.Next()) {
      const std::size_t colon = line->find(": ");
      const auto name = line->substr(0, colon);
      auto rest = colon == line->npos ? std::string_view() : line->substr(colon + 2);
      if (name == "buckets used") {
        const std::size_t slash = std::min(rest.find('/'), rest.size());
        if (!AddHashStat(rest.substr(0, slash), kMetrics[5], batch)) {
          return Fail(NotANumber(hash_stats_.path(), rest));
        }
        rest.remove_prefix(std::min(slash + 1, rest.size()));
      }
      const Metric* const metric = name == "entries"         ? &kMetrics[3]
                                   : name == "buckets used"  ? &kMetrics[4]
                                   : name == "longest chain" ? &kMetrics[6]
                                                             : nullptr;
      if (metric && !AddHashStat(rest, *metric, batch)) {
        return Fail(NotANumber(hash_stats_.path(), rest));
      }
    }
    return Ok();
  }

  static bool AddHashStat(std::string_view text, const Metric& metric, Batch& batch) {
    const auto value = ParseNumber(text);
    if (value) batch.Add(metric, static_cast<double>(*value));
    return value.has_value();
  }

  SysFile enforce_;
  SysFile context_;
  ProcFile config_;
  ProcFile cache_stats_;
  ProcFile hash_stats_;
  ProcFile threshold_;
  std::vector<Metric> metrics_;
};

}  // namespace

std::unique_ptr<Collector> MakeSelinux(const Paths& paths, config::MapReader&) {
  return std::make_unique<SelinuxCollector>(paths);
}

}  // namespace vigia::collectors::host
