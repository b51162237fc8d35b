#include <catch2/catch.hpp>

#include "tests/support/host_subject.h"

using namespace vigia::test;

TEST_CASE("lnstat collector reports the counters of each cache by CPU", "[collectors]") {
  HostSubject lnstat("lnstat");
  REQUIRE(lnstat.Run() == "error: " + lnstat.Proc("net/stat") + ": No such file or directory");
  lnstat.WriteProc("net/stat/arp_cache", "entries  allocs\n00000002 0000000a\n00000002 00000000\n");
  lnstat.WriteProc("net/stat/rt_cache", "entries\n00000005\n");
  REQUIRE(lnstat.Run() ==
          "node_lnstat_entries_total{cpu=\"0\",subsystem=\"arp_cache\"} 2\n"
          "node_lnstat_entries_total{cpu=\"1\",subsystem=\"arp_cache\"} 2\n"
          "node_lnstat_entries_total{cpu=\"0\",subsystem=\"rt_cache\"} 5\n"
          "node_lnstat_allocs_total{cpu=\"0\",subsystem=\"arp_cache\"} 10\n"
          "node_lnstat_allocs_total{cpu=\"1\",subsystem=\"arp_cache\"} 0\n");
  lnstat.WriteProc("net/stat/rt_cache", "entries gone\n00000005\n");
  REQUIRE(lnstat.Run() == "error: " + lnstat.Proc("net/stat/rt_cache") + ": '' is not a number");
}
