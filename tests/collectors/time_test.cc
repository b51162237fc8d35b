#include <catch2/catch.hpp>
#include <cerrno>

#include "collectors/host/timex.h"
#include "tests/support/collect.h"
#include "tests/support/host_subject.h"

using namespace vigia;
using namespace vigia::test;

TEST_CASE("time collector reports the clock with its zone and sources", "[collectors]") {
  HostSubject time("time");
  const std::string source = "devices/system/clocksource/clocksource0/";
  time.WriteSys(source + "available_clocksource", "tsc kvm-clock \n");
  time.WriteSys(source + "current_clocksource", "tsc\n");
  time.clock().Advance(250ms);
  const auto text = time.Run();
  REQUIRE(
      text.starts_with("node_time_seconds 1700000000.25\n"
                       "node_time_zone_offset_seconds{time_zone=\""));
  REQUIRE(text.substr(text.find("node_time_clocksource")) ==
          "node_time_clocksource_available_info{clocksource=\"tsc\",device=\"0\"} 1\n"
          "node_time_clocksource_available_info{clocksource=\"kvm-clock\",device=\"0\"} 1\n"
          "node_time_clocksource_current_info{clocksource=\"tsc\",device=\"0\"} 1\n");
}

TEST_CASE("time collector does without sysfs", "[collectors]") {
  HostSubject time("time");
  const auto text = time.Run();
  REQUIRE(text.starts_with("node_time_seconds 1700000000\n"));
  REQUIRE(text.find("clocksource") == std::string::npos);
}

namespace {

std::string TimexText(collectors::host::AdjtimexFunction adjtimex) {
  const auto collector = collectors::host::MakeTimexOver(adjtimex);
  Batch batch;
  const auto reading = CollectOnce(*collector, batch);
  return reading ? ReadingText(**reading) : "error: " + reading.error().message();
}

timex Disciplined() {
  timex clock{};
  clock.offset = 37'500;
  clock.freq = 65'536 * 12;  // 12 ppm
  clock.maxerror = 16'000;
  clock.esterror = 250;
  clock.status = STA_PLL;
  clock.constant = 7;
  clock.tick = 10'000;
  clock.ppsfreq = 65'536;
  clock.jitter = 2'000;
  clock.shift = 4;
  clock.stabil = 32'768;
  clock.jitcnt = 1;
  clock.calcnt = 2;
  clock.errcnt = 3;
  clock.stbcnt = 4;
  clock.tai = 37;
  return clock;
}

}  // namespace

TEST_CASE("timex collector converts microseconds and parts per million", "[collectors]") {
  REQUIRE(TimexText([](timex* clock) {
            *clock = Disciplined();
            return TIME_OK;
          }) ==
          "node_timex_sync_status 1\n"
          "node_timex_offset_seconds 0.0375\n"
          "node_timex_frequency_adjustment_ratio 1.000012\n"
          "node_timex_maxerror_seconds 0.016\n"
          "node_timex_estimated_error_seconds 0.00025\n"
          "node_timex_status 1\n"
          "node_timex_loop_time_constant 7\n"
          "node_timex_tick_seconds 0.01\n"
          "node_timex_pps_frequency_hertz 1e-06\n"
          "node_timex_pps_jitter_seconds 0.002\n"
          "node_timex_pps_shift_seconds 4\n"
          "node_timex_pps_stability_hertz 5e-07\n"
          "node_timex_pps_jitter_total 1\n"
          "node_timex_pps_calibration_total 2\n"
          "node_timex_pps_error_total 3\n"
          "node_timex_pps_stability_exceeded_total 4\n"
          "node_timex_tai_offset_seconds 37\n");
}

TEST_CASE("timex collector reads nanoseconds where the clock gives them", "[collectors]") {
  const auto text = TimexText([](timex* clock) {
    *clock = Disciplined();
    clock->status = STA_NANO | STA_UNSYNC;
    return TIME_ERROR;
  });
  REQUIRE(text.starts_with("node_timex_sync_status 0\nnode_timex_offset_seconds 3.75e-05\n"));
  REQUIRE(text.find("node_timex_pps_jitter_seconds 2e-06\n") != std::string::npos);
  REQUIRE(text.find("node_timex_maxerror_seconds 0.016\n") != std::string::npos);
}

TEST_CASE("timex collector reports nothing where the call is forbidden", "[collectors]") {
  REQUIRE(TimexText([](timex*) {
            errno = EPERM;
            return -1;
          }).empty());
  REQUIRE(TimexText([](timex*) {
            errno = EFAULT;
            return -1;
          }) == "error: adjtimex: Bad address");
}
