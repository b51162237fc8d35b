#include <catch2/catch.hpp>

#include "tests/support/collect.h"
#include "tests/support/fixtures.h"
#include "tests/support/host_subject.h"

using namespace vigia::test;

TEST_CASE("arp collector counts entries by device", "[collectors]") {
  const auto proc = Fixture("host/proc");
  REQUIRE(CollectText("host.arp", {{"procfs", proc}}) ==
          "node_arp_entries{device=\"eth0\"} 2\n"
          "node_arp_entries{device=\"eth1\"} 1\n");
  REQUIRE(CollectText("host.arp", {{"procfs", proc}, {"device_exclude", "0$"}}) ==
          "node_arp_entries{device=\"eth1\"} 1\n");
}

TEST_CASE("arp collector forgets devices without entries and counts anew each run",
          "[collectors]") {
  HostSubject arp("arp");
  const std::string headings = "IP address HW type Flags HW address Mask Device\n";
  arp.WriteProc("net/arp", headings + "192.0.2.1 0x1 0x2 02:fc * a\n192.0.2.2 0x1 0x2 02:fc * b\n");
  REQUIRE(arp.Run() == "node_arp_entries{device=\"a\"} 1\nnode_arp_entries{device=\"b\"} 1\n");
  arp.WriteProc("net/arp", headings + "192.0.2.2 0x1 0x2 02:fc * b\n");
  REQUIRE(arp.Run() == "node_arp_entries{device=\"b\"} 1\n");
  arp.WriteProc("net/arp", headings + "192.0.2.2 0x1 0x2\n");
  REQUIRE(arp.Run() == "error: " + arp.Proc("net/arp") + ": fewer than 6 columns");
  arp.WriteProc("net/arp", headings + "192.0.2.2 0x1 0x2 02:fc * b\n");
  REQUIRE(arp.Run() == "node_arp_entries{device=\"b\"} 1\n");
  arp.WriteProc("net/arp", headings);
  REQUIRE(arp.Run() == "");
}

TEST_CASE("arp collector names the file when it is missing", "[collectors]") {
  HostSubject arp("arp");
  REQUIRE(arp.Run() == "error: " + arp.Proc("net/arp") + ": No such file or directory");
}
