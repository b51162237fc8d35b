#include <catch2/catch.hpp>

#include "tests/support/collect.h"
#include "tests/support/fixtures.h"
#include "tests/support/host_subject.h"

using namespace vigia::test;

TEST_CASE("udp_queues collector adds up the queues of all sockets", "[collectors]") {
  REQUIRE(CollectText("host.udp_queues", {{"procfs", Fixture("host/proc")}}) ==
          "node_udp_queues{ip=\"v4\",queue=\"tx\"} 21\n"
          "node_udp_queues{ip=\"v4\",queue=\"rx\"} 11\n"
          "node_udp_queues{ip=\"v6\",queue=\"tx\"} 0\n"
          "node_udp_queues{ip=\"v6\",queue=\"rx\"} 3\n");
}

TEST_CASE("udp_queues collector does without IPv4 or IPv6", "[collectors]") {
  HostSubject udp("udp_queues");
  REQUIRE(udp.Run() == "");
  udp.WriteProc("net/udp6", "headings\n");
  REQUIRE(udp.Run() ==
          "node_udp_queues{ip=\"v6\",queue=\"tx\"} 0\nnode_udp_queues{ip=\"v6\",queue=\"rx\"} 0\n");
}

TEST_CASE("udp_queues collector names the file when a line is malformed", "[collectors]") {
  HostSubject udp("udp_queues");
  const auto file = "error: " + udp.Proc("net/udp");
  udp.WriteProc("net/udp", "headings\n 1: 0:44 0:0 07 15 00\n");
  REQUIRE(udp.Run() == file + ": '15' is not two lengths");
  udp.WriteProc("net/udp", "headings\n 1: 0:44 0:0 07 15:\n");
  REQUIRE(udp.Run() == file + ": '15:' is not two lengths");
  udp.WriteProc("net/udp", "headings\n 1:\n");
  REQUIRE(udp.Run() == file + ": '' is not two lengths");
}
