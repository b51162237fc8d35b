#include <catch2/catch.hpp>

#include "tests/support/collect.h"
#include "tests/support/fixtures.h"
#include "tests/support/host_subject.h"

using namespace vigia::test;

TEST_CASE("vmstat collector reports paging and faults and the OOM killer", "[collectors]") {
  REQUIRE(CollectText("host.vmstat", {{"procfs", Fixture("host/proc")}}) ==
          "node_vmstat_pgpgin 2502477\n"
          "node_vmstat_pgpgout 1514668\n"
          "node_vmstat_pswpin 64\n"
          "node_vmstat_pswpout 128\n"
          "node_vmstat_pgfault 3706437\n"
          "node_vmstat_pgmajfault 2313\n"
          "node_vmstat_oom_kill 1\n");
}

TEST_CASE("vmstat collector reports the fields that it is told", "[collectors]") {
  REQUIRE(CollectText("host.vmstat", {{"procfs", Fixture("host/proc")}, {"fields", "^numa_"}}) ==
          "node_vmstat_numa_hit 6286983\n");
  REQUIRE(CollectText("host.vmstat", {{"fields", "[a"}}).find("is not a regular expression") !=
          std::string::npos);
}

TEST_CASE("vmstat collector names the file when a wanted line is malformed", "[collectors]") {
  HostSubject vmstat("vmstat");
  const auto file = "error: " + vmstat.Proc("vmstat");
  REQUIRE(vmstat.Run() == file + ": No such file or directory");
  vmstat.WriteProc("vmstat", "pgfault x\n");
  REQUIRE(vmstat.Run() == file + ": 'x' is not a number");
  vmstat.WriteProc("vmstat", "pgfault\n");
  REQUIRE(vmstat.Run() == file + ": '' is not a number");
  vmstat.WriteProc("vmstat", "nr_free_pages x\npgfault 18446744073709551615\n");
  REQUIRE(vmstat.Run() == "node_vmstat_pgfault 18446744073709551616\n");
}
