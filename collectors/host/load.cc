// Load averages, from /proc/loadavg.

#include <array>

#include "collectors/host/part.h"
#include "collectors/host/text.h"
#include "core/file.h"
#include "core/number.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_load1", "Load average over 1 minute."},
    Metric{"node_load5", "Load average over 5 minutes."},
    Metric{"node_load15", "Load average over 15 minutes."},
};

class LoadCollector final : public Collector {
 public:
  explicit LoadCollector(const Paths& paths) : file_(paths.procfs / "loadavg") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    const auto text = file_.Read(buffer_);
    if (!text) return Fail(text.error());

    // "0.20 0.18 0.12 1/80 11206": averages, runnable/total tasks, last pid.
    Fields fields(*text);
    for (const auto& metric : kMetrics) {
      const auto load = ParseDouble(fields.Next());
      if (!load) return Fail(Malformed(file_.path(), load.error().message()));
      batch.Add(metric, *load);
    }
    return Ok();
  }

 private:
  KeptFile file_;
  std::string buffer_;
};

}  // namespace

std::unique_ptr<Collector> MakeLoad(const Paths& paths, config::MapReader&) {
  return std::make_unique<LoadCollector>(paths);
}

}  // namespace vigia::collectors::host
