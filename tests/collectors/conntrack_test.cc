#include <catch2/catch.hpp>

#include "tests/support/collect.h"
#include "tests/support/fixtures.h"
#include "tests/support/host_subject.h"

using namespace vigia::test;

TEST_CASE("conntrack collector adds up the counters of all CPUs", "[collectors]") {
  REQUIRE(CollectText("host.conntrack", {{"procfs", Fixture("host/proc")}}) ==
          "node_nf_conntrack_entries 33\n"
          "node_nf_conntrack_entries_limit 262144\n"
          "node_nf_conntrack_stat_found 10\n"
          "node_nf_conntrack_stat_invalid 5\n"
          "node_nf_conntrack_stat_ignore 44846\n"
          "node_nf_conntrack_stat_insert 3\n"
          "node_nf_conntrack_stat_insert_failed 1\n"
          "node_nf_conntrack_stat_drop 5\n"
          "node_nf_conntrack_stat_early_drop 7\n"
          "node_nf_conntrack_stat_search_restart 6\n");
}

TEST_CASE("conntrack collector reports what a machine or container shows", "[collectors]") {
  HostSubject conntrack("conntrack");
  REQUIRE(conntrack.Run() == "");  // the module is not loaded
  conntrack.WriteProc("sys/net/netfilter/nf_conntrack_max", "65536\n");
  REQUIRE(conntrack.Run() == "node_nf_conntrack_entries_limit 65536\n");
}

TEST_CASE("conntrack collector names the file when it is malformed", "[collectors]") {
  HostSubject conntrack("conntrack");
  conntrack.WriteProc("net/stat/nf_conntrack", "entries found\n1 0x2\n");
  REQUIRE(conntrack.Run() ==
          "error: " + conntrack.Proc("net/stat/nf_conntrack") + ": '0x2' is not a number");
  conntrack.WriteProc("sys/net/netfilter/nf_conntrack_count", "\n");
  REQUIRE(conntrack.Run() == "error: " + conntrack.Proc("sys/net/netfilter/nf_conntrack_count") +
                                 ": '' is not a number");
}
