// Memory of each NUMA node, from /sys/devices/system/node/node*/meminfo and numastat.

#include <algorithm>
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
    Metric{"node_memory_numa_<field>", "A field of a node's meminfo, in bytes or pages."},
    Metric{"node_memory_numa_<field>_total", "A field of a node's numastat, in pages.",
           MetricType::kCounter},
};

class MeminfoNumaCollector final : public Collector {
 public:
  explicit MeminfoNumaCollector(const Paths& paths)
      : folder_(paths.sysfs / "devices/system/node") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    if (nodes_.empty()) Discover();
    fields_.Start();
    for (auto& node : nodes_) {
      if (auto status = AddMeminfo(node, batch); !status) return status;
      if (auto status = AddNumastat(node, batch); !status) return status;
    }
    fields_.Finish();
    return Ok();
  }

 private:
  struct Node {
    std::uint32_t number;
    ProcFile meminfo;
    ProcFile numastat;
  };

  // None on a kernel without NUMA.
  void Discover() {
    for (const auto& name : ListFolder(folder_).value_or(std::vector<std::string>())) {
      if (!name.starts_with("node")) continue;
      if (const auto number = ParseNumber<std::uint32_t>(std::string_view(name).substr(4))) {
        nodes_.push_back(
            {*number, ProcFile(folder_ / name / "meminfo"), ProcFile(folder_ / name / "numastat")});
      }
    }
    std::sort(nodes_.begin(), nodes_.end(),
              [](const Node& a, const Node& b) { return a.number < b.number; });
  }

  // "Node 0 MemTotal:        5728032 kB".
  Status AddMeminfo(Node& node, Batch& batch) {
    const auto text = node.meminfo.ReadIfPresent();  // a node may be unplugged
    if (!text) return Fail(text.error());
    Lines lines(text->value_or(""));
    while (const auto line = lines.Next()) {
      Fields words(*line);
      words.Next();
      words.Next();
      auto field = words.Next();
      if (field.ends_with(':')) field.remove_suffix(1);
      const auto number = words.Next();
      const auto unit = words.Next();
      if (!unit.empty() && unit != "kB") {
        return Fail(Malformed(node.meminfo.path(), "unknown unit '" + std::string(unit) + "'"));
      }
      const double factor = unit.empty() ? 1 : 1024;
      if (auto status = Add(node, node.meminfo, field, number, factor, batch); !status) {
        return status;
      }
    }
    return Ok();
  }

  // "numa_hit 28998982".
  Status AddNumastat(Node& node, Batch& batch) {
    const auto text = node.numastat.ReadIfPresent();
    if (!text) return Fail(text.error());
    Lines lines(text->value_or(""));
    while (const auto line = lines.Next()) {
      Fields words(*line);
      const auto field = words.Next();
      if (auto status = Add(node, node.numastat, field, words.Next(), 1, batch); !status) {
        return status;
      }
    }
    return Ok();
  }

  Status Add(const Node& node, const ProcFile& file, std::string_view field,
             std::string_view number, double factor, Batch& batch) {
    const auto value = ParseNumber(number);
    if (!value) return Fail(NotANumber(file.path(), number));
    const bool counter = &file == &node.numastat;
    const Metric* metric = fields_.Next(field, [&](std::string_view of) {
      const auto name = "node_memory_numa_" + MetricNamePart(of) + (counter ? "_total" : "");
      const auto help =
          "Field " + std::string(of) + " of a NUMA node's " + (counter ? "numastat." : "meminfo.");
      return &metrics_.Get(name, help, counter ? MetricType::kCounter : MetricType::kGauge);
    });
    batch.Add(*metric, {{"node", Decimal(node.number)}}, static_cast<double>(*value) * factor);
    return Ok();
  }

  const std::filesystem::path folder_;
  std::vector<Node> nodes_;
  MetricTable metrics_;
  LineCache<const Metric*> fields_;
};

}  // namespace

std::unique_ptr<Collector> MakeMeminfoNuma(const Paths& paths, config::MapReader&) {
  return std::make_unique<MeminfoNumaCollector>(paths);
}

}  // namespace vigia::collectors::host
