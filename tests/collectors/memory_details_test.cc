// The subjects of memory that are off by default: buddyinfo, ksmd, slabinfo, zoneinfo.

#include <catch2/catch.hpp>

#include "tests/support/host_subject.h"

using namespace vigia::test;

TEST_CASE("buddyinfo collector reports free blocks by size", "[collectors]") {
  HostSubject buddyinfo("buddyinfo");
  const auto file = "error: " + buddyinfo.Proc("buddyinfo");
  REQUIRE(buddyinfo.Run() == file + ": No such file or directory");
  buddyinfo.WriteProc("buddyinfo",
                      "Node 0, zone      DMA      1      0      3 \n"
                      "Node 1, zone   Normal   1753     57    213 \n");
  REQUIRE(buddyinfo.Run() ==
          "node_buddyinfo_blocks{node=\"0\",size=\"0\",zone=\"DMA\"} 1\n"
          "node_buddyinfo_blocks{node=\"0\",size=\"1\",zone=\"DMA\"} 0\n"
          "node_buddyinfo_blocks{node=\"0\",size=\"2\",zone=\"DMA\"} 3\n"
          "node_buddyinfo_blocks{node=\"1\",size=\"0\",zone=\"Normal\"} 1753\n"
          "node_buddyinfo_blocks{node=\"1\",size=\"1\",zone=\"Normal\"} 57\n"
          "node_buddyinfo_blocks{node=\"1\",size=\"2\",zone=\"Normal\"} 213\n");
  buddyinfo.WriteProc("buddyinfo", "Node 0 zone DMA 1\n");
  REQUIRE(buddyinfo.Run() == file + ": 'Node 0 zone DMA 1' is not a zone");
  buddyinfo.WriteProc("buddyinfo", "Node 0, zone DMA 1 x\n");
  REQUIRE(buddyinfo.Run() == file + ": 'x' is not a number");
}

TEST_CASE("ksmd collector reports what KSM shares", "[collectors]") {
  HostSubject ksmd("ksmd");
  REQUIRE(ksmd.Run() == "");  // a kernel without KSM
  ksmd.WriteSys("kernel/mm/ksm/full_scans", "323\n");
  ksmd.WriteSys("kernel/mm/ksm/pages_sharing", "255\n");
  ksmd.WriteSys("kernel/mm/ksm/sleep_millisecs", "20\n");
  REQUIRE(ksmd.Run() ==
          "node_ksmd_full_scans_total 323\n"
          "node_ksmd_pages_sharing 255\n"
          "node_ksmd_sleep_seconds 0.02\n");
  ksmd.WriteSys("kernel/mm/ksm/run", "yes\n");
  REQUIRE(ksmd.Run() == "error: " + ksmd.Sys("kernel/mm/ksm/run") + ": 'yes' is not a number");
}

TEST_CASE("slabinfo collector reports the caches that it is told", "[collectors]") {
  HostSubject slabinfo("slabinfo", {{"slabs_exclude", "^kmalloc"}});
  const auto file = "error: " + slabinfo.Proc("slabinfo");
  REQUIRE(slabinfo.Run() == file + ": No such file or directory");
  const std::string headings =
      "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize>\n";
  slabinfo.WriteProc("slabinfo", headings +
                                     "dentry   10 11 192 21 1 : tunables 0 0 0 : slabdata 0 0 0\n"
                                     "kmalloc-8 1 2 3 4 5 : tunables 0 0 0 : slabdata 0 0 0\n");
  REQUIRE(slabinfo.Run() ==
          "node_slabinfo_active_objects{slab=\"dentry\"} 10\n"
          "node_slabinfo_objects{slab=\"dentry\"} 11\n"
          "node_slabinfo_object_size_bytes{slab=\"dentry\"} 192\n"
          "node_slabinfo_objects_per_slab{slab=\"dentry\"} 21\n"
          "node_slabinfo_pages_per_slab{slab=\"dentry\"} 1\n");
  slabinfo.WriteProc("slabinfo", headings + "dentry 10 : \n");
  REQUIRE(slabinfo.Run() == file + ": ':' is not a number");
}

TEST_CASE("zoneinfo collector reports zones and their node with the first", "[collectors]") {
  HostSubject zoneinfo("zoneinfo");
  const auto file = "error: " + zoneinfo.Proc("zoneinfo");
  REQUIRE(zoneinfo.Run() == file + ": No such file or directory");
  zoneinfo.WriteProc("zoneinfo",
                     "Node 0, zone      DMA\n"
                     "  per-node stats\n"
                     "      nr_inactive_anon 77943\n"
                     "      nr_written   1317644\n"
                     "      pgpromote_success 0\n"
                     "  pages free     3840\n"
                     "        boost    0\n"
                     "        min      45\n"
                     "        high     67\n"
                     "        protection: (0, 2991)\n"
                     "      nr_free_pages 3840\n"
                     "  pagesets\n"
                     "    cpu: 0\n"
                     "              high:  14\n"
                     "Node 0, zone   Movable\n"
                     "        min      32\n");
  REQUIRE(zoneinfo.Run() ==
          "node_zoneinfo_nr_inactive_anon_pages{node=\"0\",zone=\"DMA\"} 77943\n"
          "node_zoneinfo_nr_written_total{node=\"0\",zone=\"DMA\"} 1317644\n"
          "node_zoneinfo_min_pages{node=\"0\",zone=\"DMA\"} 45\n"
          "node_zoneinfo_min_pages{node=\"0\",zone=\"Movable\"} 32\n"
          "node_zoneinfo_high_pages{node=\"0\",zone=\"DMA\"} 67\n"
          "node_zoneinfo_protection_0{node=\"0\",zone=\"DMA\"} 0\n"
          "node_zoneinfo_protection_1{node=\"0\",zone=\"DMA\"} 2991\n"
          "node_zoneinfo_nr_free_pages{node=\"0\",zone=\"DMA\"} 3840\n");
  zoneinfo.WriteProc("zoneinfo", "Node 0, zone DMA\n min x\n");
  REQUIRE(zoneinfo.Run() == file + ": 'x' is not a number");
  zoneinfo.WriteProc("zoneinfo", "Node 0, zone DMA\n protection: (0, y)\n");
  REQUIRE(zoneinfo.Run() == file + ": 'y' is not a number");
}
