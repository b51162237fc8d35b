#include <catch2/catch.hpp>

#include "tests/support/collect.h"
#include "tests/support/fixtures.h"
#include "tests/support/host_subject.h"

using namespace vigia::test;

TEST_CASE("softnet collector reports each CPU under its own number", "[collectors]") {
  REQUIRE(CollectText("host.softnet", {{"procfs", Fixture("host/proc")}}) ==
          "node_softnet_processed_total{cpu=\"0\"} 299641\n"
          "node_softnet_processed_total{cpu=\"12\"} 177571\n"
          "node_softnet_dropped_total{cpu=\"0\"} 0\n"
          "node_softnet_dropped_total{cpu=\"12\"} 41\n"
          "node_softnet_times_squeezed_total{cpu=\"0\"} 1\n"
          "node_softnet_times_squeezed_total{cpu=\"12\"} 10\n"
          "node_softnet_cpu_collision_total{cpu=\"0\"} 0\n"
          "node_softnet_cpu_collision_total{cpu=\"12\"} 3\n"
          "node_softnet_received_rps_total{cpu=\"0\"} 0\n"
          "node_softnet_received_rps_total{cpu=\"12\"} 4\n"
          "node_softnet_flow_limit_count_total{cpu=\"0\"} 0\n"
          "node_softnet_flow_limit_count_total{cpu=\"12\"} 5\n"
          "node_softnet_backlog_len{cpu=\"0\"} 0\n"
          "node_softnet_backlog_len{cpu=\"12\"} 6\n");
}

TEST_CASE("softnet collector numbers the rows of kernels that give no CPU", "[collectors]") {
  HostSubject softnet("softnet");
  softnet.WriteProc("net/softnet_stat", "1 2 3 0 0 0 0 0 4\nff 5 6 0 0 0 0 0 7\n");
  REQUIRE(softnet.Run() ==
          "node_softnet_processed_total{cpu=\"0\"} 1\n"
          "node_softnet_processed_total{cpu=\"1\"} 255\n"
          "node_softnet_dropped_total{cpu=\"0\"} 2\n"
          "node_softnet_dropped_total{cpu=\"1\"} 5\n"
          "node_softnet_times_squeezed_total{cpu=\"0\"} 3\n"
          "node_softnet_times_squeezed_total{cpu=\"1\"} 6\n"
          "node_softnet_cpu_collision_total{cpu=\"0\"} 4\n"
          "node_softnet_cpu_collision_total{cpu=\"1\"} 7\n");
}

TEST_CASE("softnet collector names the file when it is missing or malformed", "[collectors]") {
  HostSubject softnet("softnet");
  const auto file = "error: " + softnet.Proc("net/softnet_stat");
  REQUIRE(softnet.Run() == file + ": No such file or directory");
  softnet.WriteProc("net/softnet_stat", "1 2 3\n");
  REQUIRE(softnet.Run() == file + ": fewer than 9 columns");
  softnet.WriteProc("net/softnet_stat", "1 2 z 0 0 0 0 0 0\n");
  REQUIRE(softnet.Run() == file + ": 'z' is not a number");
}
