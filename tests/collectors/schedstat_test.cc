#include <catch2/catch.hpp>

#include "tests/support/host_subject.h"

using namespace vigia::test;

TEST_CASE("schedstat collector reports time run and waited for each CPU", "[collectors]") {
  HostSubject schedstat("schedstat");
  REQUIRE(schedstat.Run() == "");
  schedstat.WriteProc(
      "schedstat",
      "version 15\n"
      "timestamp 15819019232\n"
      "cpu0 498494191 0 3533438552 2553969831 3853684107 2465731542 2045936778000000 "
      "343796328000000 4767485306\n"
      "domain0 00000000,00000003 212499247 210112015 1861015\n"
      "cpu1 518377256 0 4155211005 2778589869 10466382 2867629021 1500000000 "
      "250000000 7\n");
  REQUIRE(schedstat.Run() ==
          "node_schedstat_running_seconds_total{cpu=\"0\"} 2045936.778\n"
          "node_schedstat_running_seconds_total{cpu=\"1\"} 1.5\n"
          "node_schedstat_waiting_seconds_total{cpu=\"0\"} 343796.328\n"
          "node_schedstat_waiting_seconds_total{cpu=\"1\"} 0.25\n"
          "node_schedstat_timeslices_total{cpu=\"0\"} 4767485306\n"
          "node_schedstat_timeslices_total{cpu=\"1\"} 7\n");
}

TEST_CASE("schedstat collector names the file when a line is short", "[collectors]") {
  HostSubject schedstat("schedstat");
  schedstat.WriteProc("schedstat", "cpu0 1 0 3 2 3 2 2 3\n");
  REQUIRE(schedstat.Run() == "error: " + schedstat.Proc("schedstat") + ": '' is not a number");
}
