#include <catch2/catch.hpp>

#include "tests/support/collect.h"
#include "tests/support/fixtures.h"
#include "tests/support/host_subject.h"

using namespace vigia::test;

TEST_CASE("meminfo collector reports bytes and counts under their own names", "[collectors]") {
  REQUIRE(CollectText("host.meminfo", {{"procfs", Fixture("host/proc")}}) ==
          "node_memory_MemTotal_bytes 25276063744\n"
          "node_memory_MemFree_bytes 20945350656\n"
          "node_memory_MemAvailable_bytes 23953698816\n"
          "node_memory_Buffers_bytes 1355776\n"
          "node_memory_Cached_bytes 2109214720\n"
          "node_memory_SwapCached_bytes 0\n"
          "node_memory_Active_bytes 947245056\n"
          "node_memory_Inactive_bytes 859041792\n"
          "node_memory_Active_anon_bytes 22102016\n"
          "node_memory_Inactive_anon_bytes 10436608\n"
          "node_memory_Active_file_bytes 925143040\n"
          "node_memory_Inactive_file_bytes 848605184\n"
          "node_memory_Unevictable_bytes 14667776\n"
          "node_memory_Mlocked_bytes 13660160\n"
          "node_memory_SwapTotal_bytes 1073737728\n"
          "node_memory_SwapFree_bytes 1073475584\n"
          "node_memory_Dirty_bytes 110592\n"
          "node_memory_Writeback_bytes 16384\n"
          "node_memory_Slab_bytes 97222656\n"
          "node_memory_Committed_AS_bytes 67694592\n"
          "node_memory_VmallocTotal_bytes 35184372087808\n"
          "node_memory_HugePages_Total 4\n"
          "node_memory_HugePages_Free 3\n"
          "node_memory_Hugepagesize_bytes 2097152\n"
          "node_memory_DirectMap1G_bytes 25769803776\n");
}

TEST_CASE("meminfo collector follows fields that come and go", "[collectors]") {
  HostSubject meminfo("meminfo");
  meminfo.WriteProc("meminfo", "MemTotal: 3 kB\nZswap: 1 kB\n");
  REQUIRE(meminfo.Run() == "node_memory_MemTotal_bytes 3072\nnode_memory_Zswap_bytes 1024\n");
  meminfo.WriteProc("meminfo", "Cached: 2 kB\nZswap: 4 kB\nMemTotal: 3 kB\n");
  REQUIRE(meminfo.Run() ==
          "node_memory_MemTotal_bytes 3072\nnode_memory_Zswap_bytes 4096\n"
          "node_memory_Cached_bytes 2048\n");
  meminfo.WriteProc("meminfo", "MemTotal: 5 kB\n");
  REQUIRE(meminfo.Run() == "node_memory_MemTotal_bytes 5120\n");
}

TEST_CASE("meminfo collector names the file when a line is malformed", "[collectors]") {
  HostSubject meminfo("meminfo");
  const auto file = "error: " + meminfo.Proc("meminfo");
  REQUIRE(meminfo.Run() == file + ": No such file or directory");
  meminfo.WriteProc("meminfo", "MemTotal: many kB\n");
  REQUIRE(meminfo.Run() == file + ": 'many' is not a number");
  meminfo.WriteProc("meminfo", "MemTotal: 1 MB\n");
  REQUIRE(meminfo.Run() == file + ": unknown unit 'MB'");
  meminfo.WriteProc("meminfo", "MemTotal 1 kB\n");
  REQUIRE(meminfo.Run() == file + ": 'MemTotal 1 kB' has no colon");
  meminfo.WriteProc("meminfo", "MemTotal:\n");
  REQUIRE(meminfo.Run() == file + ": '' is not a number");
}
