// Packets that each CPU took from the network, from /proc/net/softnet_stat.

#include <array>

#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

struct Column {
  std::size_t index;
  Metric metric;
};

// One row per CPU, in hexadecimal; the columns beyond the ninth came with newer kernels
// (net/core/net-procfs.c, softnet_seq_show).
constexpr std::array kColumns{
    Column{0, {"node_softnet_processed_total", "Packets processed.", MetricType::kCounter}},
    Column{1,
           {"node_softnet_dropped_total", "Packets dropped because the backlog was full.",
            MetricType::kCounter}},
    Column{2,
           {"node_softnet_times_squeezed_total",
            "How often processing stopped with packets left, its budget or time used up.",
            MetricType::kCounter}},
    Column{
        8,
        {"node_softnet_cpu_collision_total",
         "How often the lock of a sending device was held by another CPU.", MetricType::kCounter}},
    Column{9,
           {"node_softnet_received_rps_total",
            "How often another CPU woke this one to process packets.", MetricType::kCounter}},
    Column{10,
           {"node_softnet_flow_limit_count_total", "How often the limit per flow was reached.",
            MetricType::kCounter}},
    Column{11, {"node_softnet_backlog_len", "Packets that wait in the backlog."}},
};
constexpr std::size_t kLeastColumns = 9;
constexpr std::size_t kCpuColumn = 12;

constexpr auto kMetrics = [] {
  std::array<Metric, kColumns.size()> metrics;
  for (std::size_t i = 0; i < metrics.size(); ++i) metrics[i] = kColumns[i].metric;
  return metrics;
}();

class SoftnetCollector final : public Collector {
 public:
  explicit SoftnetCollector(const Paths& paths) : file_(paths.procfs / "net/softnet_stat") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    const auto text = file_.Read();
    if (!text) return Fail(text.error());
    Lines lines(*text);
    for (std::uint64_t row = 0; const auto line = lines.Next(); ++row) {
      if (auto status = AddCpu(*line, row, batch); !status) return status;
    }
    return Ok();
  }

 private:
  Status AddCpu(std::string_view line, std::uint64_t row, Batch& batch) {
    std::array<std::uint64_t, kCpuColumn + 1> values{};
    std::size_t count = 0;
    Fields fields(line);
    while (count < values.size()) {
      const auto field = fields.Next();
      if (field.empty()) break;
      const auto value = ParseNumber(field, 16);
      if (!value) return Fail(NotANumber(file_.path(), field));
      values[count++] = *value;
    }
    if (count < kLeastColumns) {
      return Fail(Malformed(file_.path(), "fewer than 9 columns"));
    }
    // CPUs that are offline have no row, so its number is right only on old kernels.
    const Decimal cpu(count > kCpuColumn ? values[kCpuColumn] : row);
    for (std::size_t i = 0; i < kColumns.size() && kColumns[i].index < count; ++i) {
      batch.Add(kMetrics[i], {{"cpu", cpu}}, static_cast<double>(values[kColumns[i].index]));
    }
    return Ok();
  }

  ProcFile file_;
};

}  // namespace

std::unique_ptr<Collector> MakeSoftnet(const Paths& paths, config::MapReader&) {
  return std::make_unique<SoftnetCollector>(paths);
}

}  // namespace vigia::collectors::host
