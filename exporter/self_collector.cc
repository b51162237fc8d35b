#include "exporter/self_collector.h"

#include <dirent.h>
#include <prometheus/registry.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <map>
#include <string>

#include "collectors/host/part.h"
#include "collectors/host/text.h"
#include "core/file.h"
#include "core/metric_table.h"
#include "core/number.h"
#include "exporter/version.h"

namespace vigia::exporter {
namespace {

using collectors::InstanceState;

enum {
  kBuildInfo,
  kCpu,
  kOpenFds,
  kMaxFds,
  kResident,
  kVirtual,
  kMaxVirtual,
  kStart,
  kThreads,
  kUp,
  kDuration,
  kLastSuccess,
  kSeries,
  kDropped,
  kDuplicates,
  kTimeouts,
  kFailures,
  kRuns,
  kNodeSuccess,
  kNodeDuration,
  kOwnMetrics,
};

constexpr auto kCounter = MetricType::kCounter;
constexpr auto kGauge = MetricType::kGauge;
constexpr std::array kMetrics{
    Metric{"vigia_build_info", "The running version of vigia; always 1."},
    Metric{"process_cpu_seconds_total", "CPU time that vigia has used, user and system.", kCounter,
           "seconds"},
    Metric{"process_open_fds", "File descriptors that vigia has open."},
    Metric{"process_max_fds", "File descriptors that vigia may have open."},
    Metric{"process_resident_memory_bytes", "Memory of vigia that is in RAM.", kGauge, "bytes"},
    Metric{"process_virtual_memory_bytes", "Address space of vigia.", kGauge, "bytes"},
    Metric{"process_virtual_memory_max_bytes",
           "Address space that vigia may have; 2^64 where there is no limit.", kGauge, "bytes"},
    Metric{"process_start_time_seconds", "When vigia started, in Unix time.", kGauge, "seconds"},
    Metric{"process_threads", "Threads of vigia."},
    Metric{"vigia_collector_up", "Whether the collector's last run ended well and in time."},
    Metric{"vigia_collector_duration_seconds", "How long the collector's last run took.", kGauge,
           "seconds"},
    Metric{"vigia_collector_last_success_timestamp_seconds",
           "When the collector last succeeded, in Unix time; 0 for never.", kGauge, "seconds"},
    Metric{"vigia_collector_series", "Series in the collector's last good reading."},
    Metric{"vigia_collector_dropped_series_total",
           "Series that were left out because the collector was over its budget.", kCounter},
    Metric{"vigia_collector_duplicate_series_total",
           "Series that were left out because the collector reported them twice in one run.",
           kCounter},
    Metric{"vigia_collector_timeouts_total", "Runs that were not done within their timeout.",
           kCounter},
    Metric{"vigia_collector_failures_total", "Runs that ended with an error.", kCounter},
    Metric{"vigia_collector_runs_total", "Runs that have ended.", kCounter},
    Metric{"node_scrape_collector_success",
           "Whether a host collector succeeded, under node_exporter's name for it."},
    Metric{"node_scrape_collector_duration_seconds",
           "How long a host collector took, under node_exporter's name for it.", kGauge, "seconds"},
};

MetricType TypeOf(prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return MetricType::kCounter;
    case prometheus::MetricType::Gauge:
      return MetricType::kGauge;
    case prometheus::MetricType::Summary:
      return MetricType::kSummary;
    case prometheus::MetricType::Histogram:
      return MetricType::kHistogram;
    default:
      return MetricType::kUnknown;
  }
}

class SelfCollector final : public collectors::Collector {
 public:
  SelfCollector(prometheus::Registry& registry, std::function<std::vector<InstanceState>()> states)
      : registry_(registry), states_(std::move(states)) {
    for (const auto& part : collectors::host::Parts()) {
      node_names_["host." + std::string(part.name)] = part.node_exporter;
    }
  }

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    batch.Add(kMetrics[kBuildInfo], {{"version", kVersion}, {"revision", kRevision}}, 1);
    if (auto status = AddProcess(batch); !status) return status;
    AddCollectors(batch);
    AddRegistry(batch);
    return Ok();
  }

 private:
  Status AddProcess(Batch& batch) {
    const auto text = stat_.Read(buffer_);
    if (!text) return Fail(text.error());
    // proc(5): fields after the command, which stands in parentheses and may hold anything.
    collectors::host::Fields fields(text->substr(text->rfind(')') + 1));
    std::array<double, 52> values{};
    std::size_t count = 3;  // the first field behind the command is number 3
    for (auto field = fields.Next(); !field.empty() && count < values.size();
         field = fields.Next(), ++count) {
      values[count] = ParseDouble(field).value_or(0);
    }
    const double ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    batch.Add(kMetrics[kCpu], (values[14] + values[15]) / ticks);
    batch.Add(kMetrics[kThreads], values[20]);
    batch.Add(kMetrics[kVirtual], values[23]);
    batch.Add(kMetrics[kResident], values[24] * static_cast<double>(::sysconf(_SC_PAGESIZE)));
    if (boot_time_ == 0) boot_time_ = ReadBootTime();
    if (boot_time_ > 0) batch.Add(kMetrics[kStart], boot_time_ + values[22] / ticks);
    batch.Add(kMetrics[kOpenFds], CountOpenFiles());
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
      batch.Add(kMetrics[kMaxFds], static_cast<double>(limit.rlim_cur));
    }
    if (::getrlimit(RLIMIT_AS, &limit) == 0) {
      batch.Add(kMetrics[kMaxVirtual], static_cast<double>(limit.rlim_cur));
    }
    return Ok();
  }

  // The line "btime 1700000000" of /proc/stat; 0 where there is none.
  static double ReadBootTime() {
    const auto text = ReadFile("/proc/stat");
    if (!text) return 0;
    collectors::host::Lines lines(*text);
    while (const auto line = lines.Next()) {
      if (line->starts_with("btime ")) return ParseDouble(line->substr(6)).value_or(0);
    }
    return 0;
  }

  static double CountOpenFiles() {
    // Since Linux 6.2 the size of this folder is their number; before, it is 0.
    struct stat info {};
    if (::stat("/proc/self/fd", &info) == 0 && info.st_size > 0) {
      return static_cast<double>(info.st_size);
    }
    DIR* const folder = ::opendir("/proc/self/fd");
    if (!folder) return 0;
    int count = 0;
    while (const dirent* entry = ::readdir(folder)) count += entry->d_name[0] != '.';
    ::closedir(folder);
    return count - 1;  // not the one that lists them
  }

  void AddCollectors(Batch& batch) {
    for (const auto& state : states_()) {
      const LabelView labels[] = {{"collector", state.id.collector}, {"instance", state.id.name}};
      const auto add = [&](int metric, double value) {
        batch.Add(kMetrics[static_cast<std::size_t>(metric)], std::span(labels), value);
      };
      add(kDropped, static_cast<double>(state.dropped_series_total));
      add(kDuplicates, static_cast<double>(state.duplicate_series_total));
      add(kTimeouts, static_cast<double>(state.timeouts_total));
      add(kFailures, static_cast<double>(state.failures_total));
      add(kRuns, static_cast<double>(state.runs_total));
      add(kLastSuccess, static_cast<double>(state.last_success) / 1000);
      if (!state.has_run) continue;  // neither up nor down
      add(kUp, state.up);
      add(kDuration, state.duration_seconds);
      add(kSeries, static_cast<double>(state.series));
      const auto node = node_names_.find(state.id.collector);
      if (node == node_names_.end() || node->second.empty()) continue;
      batch.Add(kMetrics[kNodeSuccess], {{"collector", node->second}}, state.up);
      batch.Add(kMetrics[kNodeDuration], {{"collector", node->second}}, state.duration_seconds);
    }
  }

  void AddRegistry(Batch& batch) {
    for (const auto& family : registry_.Collect()) {
      const auto& metric = table_.Get(family.name, family.help, TypeOf(family.type));
      for (const auto& child : family.metric) {
        labels_.clear();
        for (const auto& label : child.label) labels_.push_back({label.name, label.value});
        AddChild(batch, metric, child);
      }
    }
  }

  void AddChild(Batch& batch, const Metric& metric, const prometheus::ClientMetric& child) {
    const std::span<const LabelView> labels(labels_);
    switch (metric.type) {
      case MetricType::kCounter:
        return batch.Add(metric, labels, child.counter.value);
      case MetricType::kGauge:
        return batch.Add(metric, labels, child.gauge.value);
      case MetricType::kHistogram: {
        histogram_.buckets.clear();
        for (const auto& bucket : child.histogram.bucket) {
          histogram_.buckets.push_back(
              {bucket.upper_bound, static_cast<double>(bucket.cumulative_count)});
        }
        histogram_.sum = child.histogram.sample_sum;
        histogram_.count = static_cast<double>(child.histogram.sample_count);
        return batch.AddHistogram(metric, labels, histogram_);
      }
      default:
        return batch.Add(metric, labels, child.untyped.value);
    }
  }

  prometheus::Registry& registry_;
  const std::function<std::vector<InstanceState>()> states_;
  std::map<std::string, std::string_view, std::less<>> node_names_;
  MetricTable table_;
  KeptFile stat_{"/proc/self/stat"};
  std::string buffer_;
  double boot_time_ = 0;
  std::vector<LabelView> labels_;
  HistogramValue histogram_;
};

}  // namespace

std::unique_ptr<collectors::Collector> MakeSelfCollector(
    prometheus::Registry& registry, std::function<std::vector<InstanceState>()> states) {
  return std::make_unique<SelfCollector>(registry, std::move(states));
}

}  // namespace vigia::exporter
