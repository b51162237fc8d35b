#include "collectors/host/timex.h"

#include <array>
#include <cerrno>

#include "collectors/host/part.h"

namespace vigia::collectors::host {
namespace {

constexpr auto kCounter = MetricType::kCounter;

constexpr std::array kMetrics{
    Metric{"node_timex_sync_status", "Whether the clock is synchronised with a server."},
    Metric{"node_timex_offset_seconds", "How far the clock is from its reference."},
    Metric{"node_timex_frequency_adjustment_ratio", "By what factor the clock is sped up."},
    Metric{"node_timex_maxerror_seconds", "The largest error that the clock may have."},
    Metric{"node_timex_estimated_error_seconds", "The error that the clock is thought to have."},
    Metric{"node_timex_status", "Status bits of the clock (STA_* of adjtimex)."},
    Metric{"node_timex_loop_time_constant", "Time constant of the phase-locked loop."},
    Metric{"node_timex_tick_seconds", "Time between two ticks of the clock."},
    Metric{"node_timex_pps_frequency_hertz", "Frequency of the pulse per second."},
    Metric{"node_timex_pps_jitter_seconds", "Jitter of the pulse per second."},
    Metric{"node_timex_pps_shift_seconds", "Interval in which the pulse per second is averaged."},
    Metric{"node_timex_pps_stability_hertz", "How much the pulse's frequency changed lately."},
    Metric{"node_timex_pps_jitter_total", "Pulses with too much jitter.", kCounter},
    Metric{"node_timex_pps_calibration_total", "Calibrations by the pulse per second.", kCounter},
    Metric{"node_timex_pps_error_total", "Calibrations that failed.", kCounter},
    Metric{"node_timex_pps_stability_exceeded_total", "Pulses whose frequency changed too much.",
           kCounter},
    Metric{"node_timex_tai_offset_seconds", "How far International Atomic Time is ahead of UTC."},
};

class TimexCollector final : public Collector {
 public:
  explicit TimexCollector(AdjtimexFunction adjtimex) : adjtimex_(adjtimex) {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    timex clock{};
    const int state = adjtimex_(&clock);
    if (state == -1) {
      if (errno == EPERM) return Ok();  // seccomp profiles of containers forbid the call
      return Fail(SystemError("adjtimex", errno));
    }
    const double fraction = (clock.status & STA_NANO) != 0 ? 1e9 : 1e6;
    // Frequencies are in parts per million, with 16 bits after the binary point.
    constexpr double kPpm = 1e6 * 65536;
    const std::array<double, kMetrics.size()> values{
        state == TIME_ERROR ? 0.0 : 1.0,
        static_cast<double>(clock.offset) / fraction,
        1 + static_cast<double>(clock.freq) / kPpm,
        static_cast<double>(clock.maxerror) / 1e6,
        static_cast<double>(clock.esterror) / 1e6,
        static_cast<double>(clock.status),
        static_cast<double>(clock.constant),
        static_cast<double>(clock.tick) / 1e6,
        static_cast<double>(clock.ppsfreq) / kPpm,
        static_cast<double>(clock.jitter) / fraction,
        static_cast<double>(clock.shift),
        static_cast<double>(clock.stabil) / kPpm,
        static_cast<double>(clock.jitcnt),
        static_cast<double>(clock.calcnt),
        static_cast<double>(clock.errcnt),
        static_cast<double>(clock.stbcnt),
        static_cast<double>(clock.tai),
    };
    for (std::size_t i = 0; i < values.size(); ++i) batch.Add(kMetrics[i], values[i]);
    return Ok();
  }

 private:
  const AdjtimexFunction adjtimex_;
};

}  // namespace

std::unique_ptr<Collector> MakeTimexOver(AdjtimexFunction adjtimex) {
  return std::make_unique<TimexCollector>(adjtimex);
}

std::unique_ptr<Collector> MakeTimex(const Paths&, config::MapReader&) {
  return MakeTimexOver(::adjtimex);
}

}  // namespace vigia::collectors::host
