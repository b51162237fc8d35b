#include <catch2/catch.hpp>

#include "tests/support/host_subject.h"

using namespace vigia::test;

TEST_CASE("tcpstat collector counts connections of IPv4 and IPv6 by state", "[collectors]") {
  HostSubject tcp("tcpstat");
  tcp.WriteProc("net/tcp",
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n"
                "   0: 0100007F:0019 00000000:0000 0A 00000000:00000001 00:00000000 00000000\n"
                "   1: 0F02000A:0016 0202000A:8B6B 01 00000015:0000000A 02:000AC99B 00000000\n");
  tcp.WriteProc("net/tcp6",
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n"
                "   0: 00:0016 00:0000 0A 00000000:00000000 00:00000000 00000000\n");
  REQUIRE(tcp.Run() ==
          "node_tcp_connection_states{state=\"established\"} 1\n"
          "node_tcp_connection_states{state=\"syn_sent\"} 0\n"
          "node_tcp_connection_states{state=\"syn_recv\"} 0\n"
          "node_tcp_connection_states{state=\"fin_wait1\"} 0\n"
          "node_tcp_connection_states{state=\"fin_wait2\"} 0\n"
          "node_tcp_connection_states{state=\"time_wait\"} 0\n"
          "node_tcp_connection_states{state=\"close\"} 0\n"
          "node_tcp_connection_states{state=\"close_wait\"} 0\n"
          "node_tcp_connection_states{state=\"last_ack\"} 0\n"
          "node_tcp_connection_states{state=\"listen\"} 2\n"
          "node_tcp_connection_states{state=\"closing\"} 0\n"
          "node_tcp_connection_states{state=\"new_syn_recv\"} 0\n"
          "node_tcp_connection_states{state=\"rx_queued_bytes\"} 11\n"
          "node_tcp_connection_states{state=\"tx_queued_bytes\"} 21\n");
}

TEST_CASE("tcpstat collector names the file when it is missing or malformed", "[collectors]") {
  HostSubject tcp("tcpstat");
  const auto file = "error: " + tcp.Proc("net/tcp");
  REQUIRE(tcp.Run() == file + ": No such file or directory");
  for (const std::string line : {"0: 0:19 0:0 0A", "0: 0:19 0:0 0A 15", "0: 0:19 0:0 00 1:1",
                                 "0: 0:19 0:0 7F 1:1", "0: 0:19 0:0 x 1:1"}) {
    tcp.WriteProc("net/tcp", "headings\n" + line + "\n");
    REQUIRE(tcp.Run() == file + ": '" + line + "' is not a connection");
  }
  tcp.WriteProc("net/tcp", "headings\n");
  REQUIRE(tcp.Run().starts_with("node_tcp_connection_states{state=\"established\"} 0\n"));
}
