#include <catch2/catch.hpp>

#include "tests/support/collect.h"
#include "tests/support/fixtures.h"
#include "tests/support/host_subject.h"

using namespace vigia::test;

TEST_CASE("pressure collector reports seconds lost", "[collectors]") {
  REQUIRE(CollectText("host.pressure", {{"procfs", Fixture("host/proc")}}) ==
          "node_pressure_cpu_waiting_seconds_total 17.745178\n"
          "node_pressure_io_waiting_seconds_total 4.435916\n"
          "node_pressure_io_stalled_seconds_total 4.054134\n"
          "node_pressure_memory_waiting_seconds_total 0.0015\n"
          "node_pressure_memory_stalled_seconds_total 1e-06\n");
}

TEST_CASE("pressure collector reports nothing on a kernel without PSI", "[collectors]") {
  REQUIRE(HostSubject("pressure").Run() == "");
}

TEST_CASE("pressure collector names the file when it is malformed", "[collectors]") {
  HostSubject pressure("pressure");
  const auto file = "error: " + pressure.Proc("pressure/irq");
  pressure.WriteProc("pressure/irq", "full avg10=0.00 total=2500000\n");
  REQUIRE(pressure.Run() == "node_pressure_irq_stalled_seconds_total 2.5\n");
  pressure.WriteProc("pressure/irq", "full avg10=0.00 total=many\n");
  REQUIRE(pressure.Run() == file + ": 'many' is not a number");
  pressure.WriteProc("pressure/irq", "full avg10=0.00\n");
  REQUIRE(pressure.Run() == file + ": 'full avg10=0.00' is not a number");
  pressure.WriteProc("pressure/irq", "");
  REQUIRE(pressure.Run() == file + ": has no line 'full'");
}
