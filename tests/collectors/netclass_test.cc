#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/support/collect.h"
#include "tests/support/fixtures.h"
#include "tests/support/host_subject.h"

using namespace vigia;
using namespace vigia::test;

TEST_CASE("netclass collector reports every attribute of a device", "[collectors]") {
  REQUIRE(CollectText("host.netclass",
                      {{"sysfs", Fixture("host/sys")}, {"device_include", "^eth0$"}}) ==
          "node_network_address_assign_type{device=\"eth0\"} 3\n"
          "node_network_carrier{device=\"eth0\"} 1\n"
          "node_network_carrier_changes_total{device=\"eth0\"} 5\n"
          "node_network_carrier_up_changes_total{device=\"eth0\"} 3\n"
          "node_network_carrier_down_changes_total{device=\"eth0\"} 2\n"
          "node_network_device_id{device=\"eth0\"} 32\n"
          "node_network_dormant{device=\"eth0\"} 0\n"
          "node_network_flags{device=\"eth0\"} 4867\n"
          "node_network_iface_id{device=\"eth0\"} 2\n"
          "node_network_iface_link{device=\"eth0\"} 2\n"
          "node_network_iface_link_mode{device=\"eth0\"} 0\n"
          "node_network_mtu_bytes{device=\"eth0\"} 1500\n"
          "node_network_name_assign_type{device=\"eth0\"} 2\n"
          "node_network_net_dev_group{device=\"eth0\"} 0\n"
          "node_network_transmit_queue_length{device=\"eth0\"} 1000\n"
          "node_network_protocol_type{device=\"eth0\"} 1\n"
          "node_network_speed_bytes{device=\"eth0\"} 125000000\n"
          "node_network_up{device=\"eth0\"} 1\n"
          "node_network_info{address=\"01:01:01:01:01:01\",broadcast=\"ff:ff:ff:ff:ff:ff\","
          "device=\"eth0\",duplex=\"full\",ifalias=\"uplink\",operstate=\"up\"} 1\n");
}

TEST_CASE("netclass collector leaves out what a device does not have", "[collectors]") {
  HostSubject netclass("netclass");
  netclass.WriteSys("class/net/bonding_masters", "bond0\n");
  netclass.WriteSys("class/net/lo/operstate", "unknown\n");
  netclass.WriteSys("class/net/lo/ifalias", "\n");
  netclass.WriteSys("class/net/lo/mtu", "65536\n");
  REQUIRE(netclass.Run() ==
          "node_network_mtu_bytes{device=\"lo\"} 65536\n"
          "node_network_up{device=\"lo\"} 0\n"
          "node_network_info{device=\"lo\",operstate=\"unknown\"} 1\n");
}

TEST_CASE("netclass collector follows devices that come, change and go", "[collectors]") {
  HostSubject netclass("netclass", {{"device_exclude", "^veth"}});
  REQUIRE(netclass.Run() == "");
  netclass.WriteSys("class/net/eth10/mtu", "1500\n");
  netclass.WriteSys("class/net/eth9/mtu", "1500\n");
  netclass.WriteSys("class/net/veth0/mtu", "1500\n");
  REQUIRE(netclass.Run() ==
          "node_network_mtu_bytes{device=\"eth9\"} 1500\n"
          "node_network_mtu_bytes{device=\"eth10\"} 1500\n");
  netclass.WriteSys("class/net/eth9/mtu", "9000\n");
  std::filesystem::remove_all(netclass.Sys("class/net/eth10"));
  REQUIRE(netclass.Run() == "node_network_mtu_bytes{device=\"eth9\"} 9000\n");
}

TEST_CASE("netclass collector shows an unknown speed as negative unless told otherwise",
          "[collectors]") {
  for (const std::string ignore : {"false", "true"}) {
    HostSubject netclass("netclass", {{"ignore_invalid_speed", ignore}});
    netclass.WriteSys("class/net/eth0/speed", "-1\n");
    REQUIRE(netclass.Run() ==
            (ignore == "true" ? "" : "node_network_speed_bytes{device=\"eth0\"} -125000\n"));
  }
}

TEST_CASE("netclass collector names the file when an attribute is malformed", "[collectors]") {
  HostSubject netclass("netclass");
  netclass.WriteSys("class/net/eth0/flags", "0x10zz\n");
  REQUIRE(netclass.Run() ==
          "error: " + netclass.Sys("class/net/eth0/flags") + ": '0x10zz' is not a number");
}

TEST_CASE("netclass collector keeps few files open on a host with many devices", "[collectors]") {
  HostSubject netclass("netclass");
  for (int i = 0; i < 500; ++i) {
    for (const std::string name : {"mtu", "flags", "operstate"}) {
      netclass.WriteSys("class/net/veth" + std::to_string(i) + "/" + name, "1\n");
    }
  }
  const auto text = netclass.Run();
  REQUIRE(netclass.Run() == text);
  const std::filesystem::directory_iterator open("/proc/self/fd");
  REQUIRE(std::distance(begin(open), end(open)) < 450);
}
