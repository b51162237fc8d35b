// Free blocks of memory by size, from /proc/buddyinfo: how fragmented it is. Off by default.

#include <array>

#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_buddyinfo_blocks", "Free blocks of 2^size pages."},
};

class BuddyinfoCollector final : public Collector {
 public:
  explicit BuddyinfoCollector(const Paths& paths) : file_(paths.procfs / "buddyinfo") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    const auto text = file_.Read();
    if (!text) return Fail(text.error());
    Lines lines(*text);
    while (const auto line = lines.Next()) {
      if (auto status = AddZone(*line, batch); !status) return status;
    }
    return Ok();
  }

 private:
  // "Node 0, zone    DMA32      2      3      0      2 ...".
  Status AddZone(std::string_view line, Batch& batch) {
    Fields fields(line);
    fields.Next();
    auto node = fields.Next();
    if (!node.ends_with(',') || fields.Next() != "zone") {
      return Fail(Malformed(file_.path(), "'" + std::string(line) + "' is not a zone"));
    }
    node.remove_suffix(1);
    const auto zone = fields.Next();
    std::uint64_t size = 0;
    for (auto field = fields.Next(); !field.empty(); field = fields.Next()) {
      const auto blocks = ParseNumber(field);
      if (!blocks) return Fail(NotANumber(file_.path(), field));
      batch.Add(kMetrics[0], {{"node", node}, {"zone", zone}, {"size", Decimal(size++)}},
                static_cast<double>(*blocks));
    }
    return Ok();
  }

  ProcFile file_;
};

}  // namespace

std::unique_ptr<Collector> MakeBuddyinfo(const Paths& paths, config::MapReader&) {
  return std::make_unique<BuddyinfoCollector>(paths);
}

}  // namespace vigia::collectors::host
