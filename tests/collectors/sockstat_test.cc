#include <unistd.h>
#include <catch2/catch.hpp>

#include "tests/support/collect.h"
#include "tests/support/fixtures.h"
#include "tests/support/host_subject.h"

using namespace vigia::test;

TEST_CASE("sockstat collector reports sockets of IPv4 and IPv6", "[collectors]") {
  REQUIRE(CollectText("host.sockstat", {{"procfs", Fixture("host/proc")}}) ==
          "node_sockstat_sockets_used 229\n"
          "node_sockstat_TCP_inuse 4\n"
          "node_sockstat_TCP_orphan 0\n"
          "node_sockstat_TCP_tw 4\n"
          "node_sockstat_TCP_alloc 17\n"
          "node_sockstat_TCP_mem 1\n"
          "node_sockstat_TCP_mem_bytes " +
              std::to_string(::sysconf(_SC_PAGESIZE)) +
              "\n"
              "node_sockstat_UDP_inuse 0\n"
              "node_sockstat_UDP_mem 0\n"
              "node_sockstat_UDP_mem_bytes 0\n"
              "node_sockstat_UDPLITE_inuse 0\n"
              "node_sockstat_RAW_inuse 0\n"
              "node_sockstat_FRAG_inuse 0\n"
              "node_sockstat_FRAG_memory 0\n"
              "node_sockstat_TCP6_inuse 17\n"
              "node_sockstat_UDP6_inuse 9\n"
              "node_sockstat_FRAG6_inuse 0\n"
              "node_sockstat_FRAG6_memory 0\n");
}

TEST_CASE("sockstat collector reports nothing where /proc/net is hidden", "[collectors]") {
  REQUIRE(HostSubject("sockstat").Run() == "");
}

TEST_CASE("sockstat collector names the file when a line is malformed", "[collectors]") {
  HostSubject sockstat("sockstat");
  const auto file = "error: " + sockstat.Proc("net/sockstat");
  sockstat.WriteProc("net/sockstat", "TCP: inuse\n");
  REQUIRE(sockstat.Run() == file + ": '' is not a number");
  sockstat.WriteProc("net/sockstat", "TCP: inuse four\n");
  REQUIRE(sockstat.Run() == file + ": 'four' is not a number");
  sockstat.WriteProc("net/sockstat", "TCP inuse 4\n");
  REQUIRE(sockstat.Run() == file + ": 'TCP inuse 4' names no protocol");
}
