// Entries of the ARP table by device, from /proc/net/arp.

#include <algorithm>
#include <array>
#include <vector>

#include "collectors/host/name_filter.h"
#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_arp_entries", "Entries of the ARP table."},
};

class ArpCollector final : public Collector {
 public:
  ArpCollector(const Paths& paths, config::MapReader& options)
      : file_(paths.procfs / "net/arp"), wanted_(NameFilter::Read(options, "device", "")) {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    const auto text = file_.Read();
    if (!text) return Fail(text.error());
    Lines lines(*text);
    lines.Next();  // headings
    while (const auto line = lines.Next()) {
      if (auto status = CountLine(*line); !status) {
        devices_.clear();
        return status;
      }
    }
    for (auto& device : devices_) {
      if (device.entries == 0 || !wanted_.Accepts(device.name)) continue;
      batch.Add(kMetrics[0], {{"device", device.name}}, static_cast<double>(device.entries));
    }
    // Devices stay in the order in which they were seen first, whatever order the table has.
    std::erase_if(devices_, [](const Device& device) { return device.entries == 0; });
    for (auto& device : devices_) device.entries = 0;
    return Ok();
  }

 private:
  struct Device {
    std::string name;
    std::size_t entries = 0;
  };

  // "192.0.2.1  0x1  0x2  02:fc:00:00:00:05  *  eth0".
  Status CountLine(std::string_view line) {
    Fields fields(line);
    for (int i = 0; i < 5; ++i) fields.Next();
    const auto name = fields.Next();
    if (name.empty()) return Fail(Malformed(file_.path(), "fewer than 6 columns"));
    auto at = std::find_if(devices_.begin(), devices_.end(),
                           [&](const Device& device) { return device.name == name; });
    if (at == devices_.end()) at = devices_.insert(at, {std::string(name), 0});
    ++at->entries;
    return Ok();
  }

  ProcFile file_;
  const NameFilter wanted_;
  std::vector<Device> devices_;
};

}  // namespace

std::unique_ptr<Collector> MakeArp(const Paths& paths, config::MapReader& options) {
  return std::make_unique<ArpCollector>(paths, options);
}

}  // namespace vigia::collectors::host
