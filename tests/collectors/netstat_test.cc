#include <catch2/catch.hpp>

#include "tests/support/collect.h"
#include "tests/support/fixtures.h"
#include "tests/support/host_subject.h"

using namespace vigia::test;

TEST_CASE("netstat collector reports the usual counters of the protocols", "[collectors]") {
  REQUIRE(CollectText("host.netstat", {{"procfs", Fixture("host/proc")}}) ==
          "node_netstat_TcpExt_SyncookiesSent 1\n"
          "node_netstat_TcpExt_SyncookiesRecv 2\n"
          "node_netstat_TcpExt_SyncookiesFailed 3\n"
          "node_netstat_TcpExt_ListenOverflows 4\n"
          "node_netstat_TcpExt_ListenDrops 5\n"
          "node_netstat_TcpExt_TCPTimeouts 115\n"
          "node_netstat_TcpExt_TCPOFOQueue 6\n"
          "node_netstat_TcpExt_TCPRcvQDrop 7\n"
          "node_netstat_TcpExt_TCPSynRetrans 8\n"
          "node_netstat_IpExt_InOctets 6286396970\n"
          "node_netstat_IpExt_OutOctets 2786264347\n"
          "node_netstat_Ip_Forwarding 1\n"
          "node_netstat_Icmp_InMsgs 104\n"
          "node_netstat_Icmp_InErrors 0\n"
          "node_netstat_Icmp_OutMsgs 120\n"
          "node_netstat_Tcp_ActiveOpens 3556\n"
          "node_netstat_Tcp_PassiveOpens 230\n"
          "node_netstat_Tcp_CurrEstab 0\n"
          "node_netstat_Tcp_InSegs 57252008\n"
          "node_netstat_Tcp_OutSegs 54915039\n"
          "node_netstat_Tcp_RetransSegs 227\n"
          "node_netstat_Tcp_InErrs 5\n"
          "node_netstat_Tcp_OutRsts 1003\n"
          "node_netstat_Udp_InDatagrams 88542\n"
          "node_netstat_Udp_NoPorts 120\n"
          "node_netstat_Udp_InErrors 0\n"
          "node_netstat_Udp_OutDatagrams 53028\n"
          "node_netstat_Udp_RcvbufErrors 9\n"
          "node_netstat_Udp_SndbufErrors 8\n"
          "node_netstat_UdpLite_InErrors 0\n"
          "node_netstat_Ip6_InOctets 460\n"
          "node_netstat_Ip6_OutOctets 536\n"
          "node_netstat_Icmp6_InMsgs 0\n"
          "node_netstat_Icmp6_InErrors 0\n"
          "node_netstat_Icmp6_OutMsgs 8\n"
          "node_netstat_Udp6_InDatagrams 0\n"
          "node_netstat_Udp6_NoPorts 1\n"
          "node_netstat_UdpLite6_InErrors 0\n");
}

TEST_CASE("netstat collector reports the fields that it is told", "[collectors]") {
  REQUIRE(CollectText("host.netstat", {{"procfs", Fixture("host/proc")},
                                       {"fields", "^(Tcp_MaxConn|TcpExt_TW|Icmp6_OutType143)$"}}) ==
          "node_netstat_TcpExt_TW 388812\n"
          "node_netstat_Tcp_MaxConn -1\n"
          "node_netstat_Icmp6_OutType143 6\n");
}

TEST_CASE("netstat collector does without IPv6", "[collectors]") {
  HostSubject netstat("netstat");
  netstat.WriteProc("net/netstat", "IpExt: InOctets OutOctets\nIpExt: 1 2\n");
  netstat.WriteProc("net/snmp", "Tcp: CurrEstab\nTcp: 3\n");
  REQUIRE(netstat.Run() ==
          "node_netstat_IpExt_InOctets 1\n"
          "node_netstat_IpExt_OutOctets 2\n"
          "node_netstat_Tcp_CurrEstab 3\n");
}

TEST_CASE("netstat collector follows headings that change", "[collectors]") {
  HostSubject netstat("netstat");
  netstat.WriteProc("net/snmp", "");
  netstat.WriteProc("net/netstat", "IpExt: InOctets OutOctets\nIpExt: 1 2\n");
  netstat.Run();
  netstat.WriteProc("net/netstat", "IpExt: OutOctets New InOctets\nIpExt: 3 4 5\n");
  REQUIRE(netstat.Run() == "node_netstat_IpExt_InOctets 5\nnode_netstat_IpExt_OutOctets 3\n");
}

TEST_CASE("netstat collector names the file when it is missing or malformed", "[collectors]") {
  HostSubject netstat("netstat");
  const auto file = "error: " + netstat.Proc("net/netstat");
  REQUIRE(netstat.Run() == file + ": No such file or directory");
  netstat.WriteProc("net/netstat", "IpExt: InOctets OutOctets\n");
  REQUIRE(netstat.Run() == file + ": no values follow IpExt:");
  netstat.WriteProc("net/netstat", "IpExt: InOctets OutOctets\nTcpExt: 1 2\n");
  REQUIRE(netstat.Run() == file + ": no values follow IpExt:");
  netstat.WriteProc("net/netstat", "IpExt: InOctets OutOctets\nIpExt: 1\n");
  REQUIRE(netstat.Run() == file + ": IpExt: has not as many values as names");
  netstat.WriteProc("net/netstat", "IpExt: InOctets OutOctets\nIpExt: 1 2 3\n");
  REQUIRE(netstat.Run() == file + ": IpExt: has not as many values as names");
  netstat.WriteProc("net/netstat", "IpExt: InOctets OutOctets\nIpExt: 1 y\n");
  REQUIRE(netstat.Run() == file + ": 'y' is not a number");
  netstat.WriteProc("net/netstat", "");
  REQUIRE(netstat.Run() == "error: " + netstat.Proc("net/snmp") + ": No such file or directory");
  netstat.WriteProc("net/snmp", "");
  netstat.WriteProc("net/snmp6", "Ip6InOctets\n");
  REQUIRE(netstat.Run() == "error: " + netstat.Proc("net/snmp6") + ": '' is not a number");
}
