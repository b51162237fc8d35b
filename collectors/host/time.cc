// The wall clock, its time zone, and the hardware that drives it.

#include <array>
#include <ctime>
#include <vector>

#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

enum { kSeconds, kZoneOffset, kAvailable, kCurrent };
constexpr std::array kMetrics{
    Metric{"node_time_seconds", "The machine's clock, in Unix time."},
    Metric{"node_time_zone_offset_seconds", "How far the machine's time zone is ahead of UTC."},
    Metric{"node_time_clocksource_available_info",
           "Hardware that could drive the clock; always 1."},
    Metric{"node_time_clocksource_current_info", "Hardware that drives the clock; always 1."},
};

class TimeCollector final : public Collector {
 public:
  explicit TimeCollector(const Paths& paths)
      : folder_(paths.sysfs / "devices/system/clocksource") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline deadline, Batch& batch) override {
    const Timestamp now = deadline.clock().Wall();
    batch.Add(kMetrics[kSeconds], static_cast<double>(now) / 1000);
    const std::time_t seconds = now / 1000;
    std::tm local{};
    if (::localtime_r(&seconds, &local)) {
      batch.Add(kMetrics[kZoneOffset], {{"time_zone", local.tm_zone}},
                static_cast<double>(local.tm_gmtoff));
    }
    if (!discovered_) Discover();
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      if (auto status = AddSource(i, batch); !status) return status;
    }
    return Ok();
  }

 private:
  struct Source {
    ProcFile available;
    ProcFile current;
  };

  // The kernel makes clocksource0 at the start and never another.
  void Discover() {
    discovered_ = true;
    std::error_code error;
    for (int i = 0;; ++i) {
      const auto source = folder_ / ("clocksource" + std::to_string(i));
      if (!std::filesystem::exists(source, error)) break;
      sources_.push_back(
          {ProcFile(source / "available_clocksource"), ProcFile(source / "current_clocksource")});
    }
  }

  Status AddSource(std::size_t i, Batch& batch) {
    const Decimal device(i);
    const auto available = sources_[i].available.Read();
    if (!available) return Fail(available.error());
    Fields names(*available);
    for (auto name = names.Next(); !name.empty(); name = names.Next()) {
      batch.Add(kMetrics[kAvailable], {{"device", device}, {"clocksource", name}}, 1);
    }
    const auto current = sources_[i].current.Read();
    if (!current) return Fail(current.error());
    batch.Add(kMetrics[kCurrent], {{"device", device}, {"clocksource", Trim(*current)}}, 1);
    return Ok();
  }

  const std::filesystem::path folder_;
  bool discovered_ = false;
  std::vector<Source> sources_;
};

}  // namespace

std::unique_ptr<Collector> MakeTime(const Paths& paths, config::MapReader&) {
  return std::make_unique<TimeCollector>(paths);
}

}  // namespace vigia::collectors::host
