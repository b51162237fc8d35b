#include <catch2/catch.hpp>

#include "tests/support/collect.h"
#include "tests/support/fixtures.h"
#include "tests/support/host_subject.h"

using namespace vigia::test;

namespace {

const std::string kHeadings =
    "Inter-|   Receive                   |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n";

}  // namespace

TEST_CASE("netdev collector reports what each device received and sent", "[collectors]") {
  REQUIRE(CollectText("host.netdev", {{"procfs", Fixture("host/proc")}, {"sysfs", "/nowhere"}}) ==
          "node_network_receive_bytes_total{device=\"eth0\"} 101243633\n"
          "node_network_receive_bytes_total{device=\"veth4B09XN\"} 18446744073709551616\n"
          "node_network_receive_packets_total{device=\"eth0\"} 2189\n"
          "node_network_receive_packets_total{device=\"veth4B09XN\"} 8\n"
          "node_network_receive_errs_total{device=\"eth0\"} 1\n"
          "node_network_receive_errs_total{device=\"veth4B09XN\"} 0\n"
          "node_network_receive_drop_total{device=\"eth0\"} 2\n"
          "node_network_receive_drop_total{device=\"veth4B09XN\"} 0\n"
          "node_network_receive_fifo_total{device=\"eth0\"} 3\n"
          "node_network_receive_fifo_total{device=\"veth4B09XN\"} 0\n"
          "node_network_receive_frame_total{device=\"eth0\"} 4\n"
          "node_network_receive_frame_total{device=\"veth4B09XN\"} 0\n"
          "node_network_receive_compressed_total{device=\"eth0\"} 5\n"
          "node_network_receive_compressed_total{device=\"veth4B09XN\"} 0\n"
          "node_network_receive_multicast_total{device=\"eth0\"} 6\n"
          "node_network_receive_multicast_total{device=\"veth4B09XN\"} 0\n"
          "node_network_transmit_bytes_total{device=\"eth0\"} 87934\n"
          "node_network_transmit_bytes_total{device=\"veth4B09XN\"} 1943284\n"
          "node_network_transmit_packets_total{device=\"eth0\"} 1130\n"
          "node_network_transmit_packets_total{device=\"veth4B09XN\"} 10640\n"
          "node_network_transmit_errs_total{device=\"eth0\"} 7\n"
          "node_network_transmit_errs_total{device=\"veth4B09XN\"} 0\n"
          "node_network_transmit_drop_total{device=\"eth0\"} 8\n"
          "node_network_transmit_drop_total{device=\"veth4B09XN\"} 0\n"
          "node_network_transmit_fifo_total{device=\"eth0\"} 9\n"
          "node_network_transmit_fifo_total{device=\"veth4B09XN\"} 0\n"
          "node_network_transmit_colls_total{device=\"eth0\"} 10\n"
          "node_network_transmit_colls_total{device=\"veth4B09XN\"} 0\n"
          "node_network_transmit_carrier_total{device=\"eth0\"} 11\n"
          "node_network_transmit_carrier_total{device=\"veth4B09XN\"} 0\n"
          "node_network_transmit_compressed_total{device=\"eth0\"} 12\n"
          "node_network_transmit_compressed_total{device=\"veth4B09XN\"} 0\n");
}

TEST_CASE("netdev collector adds the packets without handler from sysfs", "[collectors]") {
  HostSubject netdev("netdev");
  netdev.WriteProc("net/dev", kHeadings + "eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n");
  netdev.WriteSys("class/net/eth0/statistics/rx_nohandler", "17\n");
  const auto text = netdev.Run();
  REQUIRE(text.substr(text.find("node_network_receive_nohandler")) ==
          "node_network_receive_nohandler_total{device=\"eth0\"} 17\n");
}

TEST_CASE("netdev collector chooses devices by name", "[collectors]") {
  const auto without =
      CollectText("host.netdev", {{"procfs", Fixture("host/proc")}, {"device_exclude", "^veth"}});
  REQUIRE(without.find("{device=\"lo\"}") != std::string::npos);
  REQUIRE(without.find("{device=\"veth4B09XN\"}") == std::string::npos);

  const auto with =
      CollectText("host.netdev", {{"procfs", Fixture("host/proc")}, {"device_include", "^(lo)$"}});
  REQUIRE(with.find("{device=\"lo\"}") != std::string::npos);
  REQUIRE(with.find("{device=\"eth0\"}") == std::string::npos);
}

TEST_CASE("netdev collector takes a name with colons whole", "[collectors]") {
  HostSubject netdev("netdev");
  netdev.WriteProc("net/dev", kHeadings + "eth0:1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n");
  REQUIRE(netdev.Run().starts_with("node_network_receive_bytes_total{device=\"eth0:1\"} 1\n"));
}

TEST_CASE("netdev collector names the file when it is missing or malformed", "[collectors]") {
  HostSubject netdev("netdev");
  const auto file = "error: " + netdev.Proc("net/dev");
  // A sandbox that shows no /proc/net.
  REQUIRE(netdev.Run() == file + ": No such file or directory");
  netdev.WriteProc("net/dev", "");
  REQUIRE(netdev.Run() == file + ": has no headings");
  netdev.WriteProc("net/dev", kHeadings + "eth0: 1 2 3\n");
  REQUIRE(netdev.Run() == file + ": '' is not a number");
  netdev.WriteProc("net/dev", kHeadings + "eth0 1 2 3\n");
  REQUIRE(netdev.Run() == file + ": 'eth0 1 2 3' names no device");
  // A network namespace without devices is no fault.
  netdev.WriteProc("net/dev", kHeadings);
  REQUIRE(netdev.Run() == "");
}
