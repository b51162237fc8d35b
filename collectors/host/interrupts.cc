// Interrupts by line and CPU, from /proc/interrupts. Off by default: as many series as lines
// times CPUs.

#include <array>

#include "collectors/host/cpu_columns.h"
#include "collectors/host/name_filter.h"
#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_interrupts_total", "Interrupts that were served, by line.", MetricType::kCounter},
};

class InterruptsCollector final : public Collector {
 public:
  InterruptsCollector(const Paths& paths, config::MapReader& options)
      : file_(paths.procfs / "interrupts"), wanted_(NameFilter::Read(options, "name", "")) {
    options.Read("include_zeros", include_zeros_);
  }

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    const auto text = file_.Read();
    if (!text) return Fail(text.error());
    Lines lines(*text);
    const auto cpus = ParseCpuColumns(lines.Next().value_or(""));
    if (!cpus) return Fail(Malformed(file_.path(), "has no heading of CPUs"));
    while (const auto line = lines.Next()) {
      if (auto status = AddLine(*line, *cpus, batch); !status) return status;
    }
    return Ok();
  }

 private:
  // " 41:  2066  0 PCI-MSIX-0000:00:04.0   1-edge      virtio3-rx": a number's controller, then
  // its devices; "NMI:  0  0   Non-maskable interrupts": what a name means.
  Status AddLine(std::string_view line, const std::vector<std::string_view>& cpus, Batch& batch) {
    const auto colon = line.find(':');
    if (colon == line.npos) {
      return Fail(Malformed(file_.path(), "'" + std::string(line) + "' has no colon"));
    }
    const auto type = Trim(line.substr(0, colon));
    Fields fields(line.substr(colon + 1));
    counts_.clear();
    while (counts_.size() < cpus.size()) {
      const auto field = fields.Next();
      if (field.empty()) return Ok();  // ERR and MIS count for the whole machine
      const auto count = ParseNumber(field);
      if (!count) return Fail(NotANumber(file_.path(), field));
      counts_.push_back(*count);
    }
    info_.clear();
    devices_.clear();
    if (ParseNumber(type)) {
      info_ = fields.Next();
      Join(fields, devices_);
    } else {
      Join(fields, info_);
    }
    name_.assign(type).append(";").append(info_).append(";").append(devices_);
    if (!wanted_.Accepts(name_)) return Ok();
    for (std::size_t i = 0; i < cpus.size(); ++i) {
      if (counts_[i] == 0 && !include_zeros_) continue;
      batch.Add(kMetrics[0],
                {{"cpu", cpus[i]}, {"type", type}, {"info", info_}, {"devices", devices_}},
                static_cast<double>(counts_[i]));
    }
    return Ok();
  }

  static void Join(Fields& fields, std::string& out) {
    for (auto word = fields.Next(); !word.empty(); word = fields.Next()) {
      if (!out.empty()) out += ' ';
      out += word;
    }
  }

  ProcFile file_;
  const NameFilter wanted_;  // of "type;info;devices", as in node_exporter
  bool include_zeros_ = true;
  // Of one line.
  std::vector<std::uint64_t> counts_;
  std::string info_;
  std::string devices_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Collector> MakeInterrupts(const Paths& paths, config::MapReader& options) {
  return std::make_unique<InterruptsCollector>(paths, options);
}

}  // namespace vigia::collectors::host
