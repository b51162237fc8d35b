#include <catch2/catch.hpp>

#include "tests/support/host_subject.h"

using namespace vigia::test;

namespace {

std::string States(const std::string& device, const std::string& state) {
  std::string text;
  for (const std::string name : {"active", "inactive", "recovering", "resync", "check"}) {
    text += "node_md_state{device=\"" + device + "\",state=\"" + name + "\"} " +
            (name == state ? "1\n" : "0\n");
  }
  return text;
}

std::string Disks(const std::string& device, int active, int failed, int spare) {
  const std::string labels = "node_md_disks{device=\"" + device + "\",state=\"";
  return labels + "active\"} " + std::to_string(active) + "\n" + labels + "failed\"} " +
         std::to_string(failed) + "\n" + labels + "spare\"} " + std::to_string(spare) + "\n";
}

}  // namespace

TEST_CASE("mdadm collector reports every kind of array", "[collectors]") {
  HostSubject mdadm("mdadm");
  REQUIRE(mdadm.Run() == "");
  mdadm.WriteProc("mdstat",
                  "Personalities : [linear] [raid0] [raid1] [raid6] [raid5]\n"
                  "\n"
                  "md3 : active raid6 sda1[8] sdh1[7] sdg1[6] sdf1[5] sde1[11](F) sdc1[10](S)\n"
                  "      5853468288 blocks super 1.2 level 6, 64k chunk, algorithm 2 [8/7] "
                  "[UUUUUU_U]\n"
                  "      bitmap: 0/1 pages [0KB], 65536KB chunk\n"
                  "\n"
                  "md6 : active raid1 sdb2[2](F) sdc[1](S) sda2[0]\n"
                  "      195310144 blocks [2/1] [U_]\n"
                  "      [=>...................]  recovery =  8.5% (16775552/195310144) "
                  "finish=17.0min speed=259783K/sec\n"
                  "\n"
                  "md8 : active raid1 sdb1[1] sda1[0]\n"
                  "      195310144 blocks super external:/md127/0 [2/2] [UU]\n"
                  "      resync=PENDING\n"
                  "\n"
                  "md9 : active raid0 sdc2[1] sdd2[0]\n"
                  "      523968 blocks super 1.2 4k chunks\n"
                  "\n"
                  "md219 : inactive sdb[2](S) sdc[1](S)\n"
                  "        7932 blocks super external:imsm\n"
                  "\n"
                  "unused devices: <none>\n");
  REQUIRE(mdadm.Run() == States("md3", "active") + States("md6", "recovering") +
                             States("md8", "resync") + States("md9", "active") +
                             States("md219", "inactive") + Disks("md3", 7, 1, 1) +
                             Disks("md6", 1, 1, 1) + Disks("md8", 2, 0, 0) + Disks("md9", 2, 0, 0) +
                             Disks("md219", 0, 0, 2) +
                             "node_md_disks_required{device=\"md3\"} 8\n"
                             "node_md_disks_required{device=\"md6\"} 2\n"
                             "node_md_disks_required{device=\"md8\"} 2\n"
                             "node_md_disks_required{device=\"md9\"} 2\n"
                             "node_md_disks_required{device=\"md219\"} 0\n"
                             "node_md_blocks{device=\"md3\"} 5853468288\n"
                             "node_md_blocks{device=\"md6\"} 195310144\n"
                             "node_md_blocks{device=\"md8\"} 195310144\n"
                             "node_md_blocks{device=\"md9\"} 523968\n"
                             "node_md_blocks{device=\"md219\"} 7932\n"
                             "node_md_blocks_synced{device=\"md3\"} 5853468288\n"
                             "node_md_blocks_synced{device=\"md6\"} 16775552\n"
                             "node_md_blocks_synced{device=\"md8\"} 0\n"
                             "node_md_blocks_synced{device=\"md9\"} 523968\n"
                             "node_md_blocks_synced{device=\"md219\"} 7932\n");
}

TEST_CASE("mdadm collector names the file when an array is cut short", "[collectors]") {
  HostSubject mdadm("mdadm");
  for (const std::string rest : {"", "      x blocks\n", "      195310144 blocks\n",
                                 "      195310144 blocks [2/1] [U_]\n      recovery = 8%\n"}) {
    mdadm.WriteProc("mdstat", "md6 : active raid1 sdb2[2] sda2[0]\n" + rest);
    REQUIRE(mdadm.Run() == "error: " + mdadm.Proc("mdstat") +
                               ": cannot be understood from 'md6 : active raid1 sdb2[2] sda2[0]' "
                               "on");
  }
}
