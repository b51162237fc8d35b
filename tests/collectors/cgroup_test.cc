#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/support/host_subject.h"

using namespace vigia::test;

namespace {

constexpr char kService[] = "fs/cgroup/system.slice/vigia.service/";

void WriteGroup(const HostSubject& cgroup, const std::string& folder) {
  cgroup.WriteSys(folder + "cgroup.events", "populated 1\nfrozen 0\n");
  cgroup.WriteSys(folder + "pids.current", "12\n");
  cgroup.WriteSys(folder + "pids.max", "max\n");
}

}  // namespace

TEST_CASE("cgroup collector reports usage and limits of its own group", "[collectors]") {
  HostSubject cgroup("cgroup");
  const std::string folder = kService;
  cgroup.WriteProc("self/cgroup", "0::/system.slice/vigia.service\n");
  WriteGroup(cgroup, folder);
  cgroup.WriteSys(folder + "cpu.stat",
                  "usage_usec 3500000\nuser_usec 2500000\nsystem_usec 1000000\nnr_periods 10\n"
                  "nr_throttled 4\nthrottled_usec 250000\nnr_bursts 0\nburst_usec 0\n");
  cgroup.WriteSys(folder + "cpu.max", "150000 100000\n");
  cgroup.WriteSys(folder + "cpu.weight", "100\n");
  cgroup.WriteSys(folder + "memory.current", "104857600\n");
  cgroup.WriteSys(folder + "memory.peak", "209715200\n");
  cgroup.WriteSys(folder + "memory.max", "536870912\n");
  cgroup.WriteSys(folder + "memory.high", "max\n");
  cgroup.WriteSys(folder + "memory.swap.current", "0\n");
  cgroup.WriteSys(folder + "memory.swap.max", "1048576\n");
  cgroup.WriteSys(folder + "memory.stat", "anon 1\ninactive_file 4857600\n");
  cgroup.WriteSys(folder + "memory.events", "low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\n");
  cgroup.WriteSys(folder + "io.stat",
                  "254:0 rbytes=90430464 wbytes=299008 rios=8950 wios=69 dbytes=0 dios=0\n"
                  "7:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n");
  std::filesystem::create_directories(cgroup.Sys("dev/block"));
  std::filesystem::create_symlink("../../devices/pci/virtio/block/vda",
                                  cgroup.Sys("dev/block/254:0"));
  REQUIRE(cgroup.Run() ==
          "vigia_cgroup_cpu_seconds_total{mode=\"user\"} 2.5\n"
          "vigia_cgroup_cpu_seconds_total{mode=\"system\"} 1\n"
          "vigia_cgroup_cpu_periods_total 10\n"
          "vigia_cgroup_cpu_throttled_periods_total 4\n"
          "vigia_cgroup_cpu_throttled_seconds_total 0.25\n"
          "vigia_cgroup_cpu_limit_cores 1.5\n"
          "vigia_cgroup_cpu_weight 100\n"
          "vigia_cgroup_memory_usage_bytes 104857600\n"
          "vigia_cgroup_memory_working_set_bytes 100000000\n"
          "vigia_cgroup_memory_peak_bytes 209715200\n"
          "vigia_cgroup_memory_limit_bytes 536870912\n"
          "vigia_cgroup_memory_swap_usage_bytes 0\n"
          "vigia_cgroup_memory_swap_limit_bytes 1048576\n"
          "vigia_cgroup_pids 12\n"
          "vigia_cgroup_memory_events_total{event=\"low\"} 0\n"
          "vigia_cgroup_memory_events_total{event=\"high\"} 1\n"
          "vigia_cgroup_memory_events_total{event=\"max\"} 2\n"
          "vigia_cgroup_memory_events_total{event=\"oom\"} 3\n"
          "vigia_cgroup_memory_events_total{event=\"oom_kill\"} 4\n"
          "vigia_cgroup_io_read_bytes_total{device=\"vda\"} 90430464\n"
          "vigia_cgroup_io_read_bytes_total{device=\"7:0\"} 1\n"
          "vigia_cgroup_io_written_bytes_total{device=\"vda\"} 299008\n"
          "vigia_cgroup_io_written_bytes_total{device=\"7:0\"} 2\n"
          "vigia_cgroup_io_reads_total{device=\"vda\"} 8950\n"
          "vigia_cgroup_io_reads_total{device=\"7:0\"} 3\n"
          "vigia_cgroup_io_writes_total{device=\"vda\"} 69\n"
          "vigia_cgroup_io_writes_total{device=\"7:0\"} 4\n");
}

TEST_CASE("cgroup collector finds its group in a container and beside version 1", "[collectors]") {
  for (const std::string folder : {"fs/cgroup/", "fs/cgroup/unified/docker/abc/"}) {
    HostSubject cgroup("cgroup");
    cgroup.WriteProc("self/cgroup", "4:memory:/docker/abc\n0::/docker/abc\n");
    WriteGroup(cgroup, folder);
    REQUIRE(cgroup.Run() == "vigia_cgroup_pids 12\n");
  }
}

TEST_CASE("cgroup collector reports nothing in the root group or without version 2",
          "[collectors]") {
  HostSubject cgroup("cgroup");
  REQUIRE(cgroup.Run() == "");
  cgroup.WriteProc("self/cgroup", "4:memory:/\n");
  cgroup.WriteSys("fs/cgroup/cgroup.events", "populated 1\n");
  REQUIRE(cgroup.Run() == "");
  cgroup.WriteProc("self/cgroup", "0::/\n");
  std::filesystem::remove(cgroup.Sys("fs/cgroup/cgroup.events"));
  cgroup.WriteSys("fs/cgroup/pids.current", "1\n");
  REQUIRE(cgroup.Run() == "");
}

TEST_CASE("cgroup collector names the file that is malformed", "[collectors]") {
  HostSubject cgroup("cgroup");
  cgroup.WriteProc("self/cgroup", "0::/\n");
  WriteGroup(cgroup, "fs/cgroup/");
  cgroup.WriteSys("fs/cgroup/cpu.max", "150000 0\n");
  REQUIRE(cgroup.Run() ==
          "error: " + cgroup.Sys("fs/cgroup/cpu.max") + ": '150000 0' is no CPU limit");
}
