#include <catch2/catch.hpp>

#include "tests/support/host_subject.h"

using namespace vigia::test;

TEST_CASE("meminfo_numa collector reports the memory of each node", "[collectors]") {
  HostSubject numa("meminfo_numa");
  REQUIRE(numa.Run() == "");  // a kernel without NUMA
  const std::string folder = "devices/system/node/";
  numa.WriteSys(folder + "online", "0,10\n");
  numa.WriteSys(folder + "node10/meminfo", "Node 10 MemTotal: 4 kB\n");
  numa.WriteSys(folder + "node10/numastat", "numa_hit 18446744073709551615\n");
  numa.WriteSys(folder + "node2/meminfo",
                "Node 2 MemTotal:   8 kB\nNode 2 Active(anon): 2 kB\nNode 2 HugePages_Free:  1\n");
  REQUIRE(numa.Run() ==
          "node_memory_numa_MemTotal{node=\"2\"} 8192\n"
          "node_memory_numa_MemTotal{node=\"10\"} 4096\n"
          "node_memory_numa_Active_anon{node=\"2\"} 2048\n"
          "node_memory_numa_HugePages_Free{node=\"2\"} 1\n"
          "node_memory_numa_numa_hit_total{node=\"10\"} 18446744073709551616\n");
}

TEST_CASE("meminfo_numa collector names the file when a line is malformed", "[collectors]") {
  HostSubject numa("meminfo_numa");
  const std::string meminfo = "devices/system/node/node0/meminfo";
  numa.WriteSys(meminfo, "Node 0 MemTotal:\n");
  REQUIRE(numa.Run() == "error: " + numa.Sys(meminfo) + ": '' is not a number");
  numa.WriteSys(meminfo, "Node 0 MemTotal: 1 MB\n");
  REQUIRE(numa.Run() == "error: " + numa.Sys(meminfo) + ": unknown unit 'MB'");
}
