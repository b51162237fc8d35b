#include <catch2/catch.hpp>

#include "tests/support/collect.h"
#include "tests/support/fixtures.h"
#include "tests/support/host_subject.h"

using namespace vigia::test;

TEST_CASE("stat collector reports interrupts and switches and forks and tasks", "[collectors]") {
  REQUIRE(CollectText("host.stat", {{"procfs", Fixture("host/proc")}}) ==
          "node_intr_total 18446744073709551616\n"
          "node_context_switches_total 488700\n"
          "node_boot_time_seconds 1795466153\n"
          "node_forks_total 11720\n"
          "node_procs_running 2\n"
          "node_procs_blocked 1\n");
}

TEST_CASE("stat collector reports softirqs by vector when told", "[collectors]") {
  const auto text =
      CollectText("host.stat", {{"procfs", Fixture("host/proc")}, {"softirq", "true"}});
  REQUIRE(text.substr(text.find("node_softirqs_total")) ==
          "node_softirqs_total{vector=\"hi\"} 250191\n"
          "node_softirqs_total{vector=\"timer\"} 1481983\n"
          "node_softirqs_total{vector=\"net_tx\"} 1647\n"
          "node_softirqs_total{vector=\"net_rx\"} 211099\n"
          "node_softirqs_total{vector=\"block\"} 186066\n"
          "node_softirqs_total{vector=\"block_iopoll\"} 0\n"
          "node_softirqs_total{vector=\"tasklet\"} 1783454\n"
          "node_softirqs_total{vector=\"sched\"} 622196\n"
          "node_softirqs_total{vector=\"hrtimer\"} 12499\n"
          "node_softirqs_total{vector=\"rcu\"} 508444\n");
}

TEST_CASE("stat collector names the file when a value is malformed", "[collectors]") {
  HostSubject stat("stat");
  const auto file = "error: " + stat.Proc("stat");
  REQUIRE(stat.Run() == file + ": No such file or directory");
  stat.WriteProc("stat", "cpu 1 2 3\nctxt\n");
  REQUIRE(stat.Run() == file + ": '' is not a number");
  stat.WriteProc("stat", "intr 1x\n");
  REQUIRE(stat.Run() == file + ": '1x' is not a number");
}
