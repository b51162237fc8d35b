#include <catch2/catch.hpp>

#include "tests/support/host_subject.h"

using namespace vigia::test;

TEST_CASE("xfs collector reports the counters of each file system", "[collectors]") {
  HostSubject xfs("xfs");
  REQUIRE(xfs.Run() == "");
  xfs.WriteSys("fs/xfs/stats/stats", "rw 9 9\n");
  xfs.WriteSys("fs/xfs/sda1/stats/stats",
               "extent_alloc 1 4 2 3\ndir 3 2 1 6\nrw 28 7\nvnodes 4 0 0 5 1 1 1 0\nxpc 0 1 2\n");
  REQUIRE(xfs.Run() ==
          "node_xfs_extent_allocation_extents_allocated_total{device=\"sda1\"} 1\n"
          "node_xfs_extent_allocation_blocks_allocated_total{device=\"sda1\"} 4\n"
          "node_xfs_extent_allocation_extents_freed_total{device=\"sda1\"} 2\n"
          "node_xfs_extent_allocation_blocks_freed_total{device=\"sda1\"} 3\n"
          "node_xfs_directory_operation_lookup_total{device=\"sda1\"} 3\n"
          "node_xfs_directory_operation_create_total{device=\"sda1\"} 2\n"
          "node_xfs_directory_operation_remove_total{device=\"sda1\"} 1\n"
          "node_xfs_directory_operation_getdents_total{device=\"sda1\"} 6\n"
          "node_xfs_write_calls_total{device=\"sda1\"} 28\n"
          "node_xfs_read_calls_total{device=\"sda1\"} 7\n"
          "node_xfs_vnode_active_total{device=\"sda1\"} 4\n"
          "node_xfs_vnode_allocate_total{device=\"sda1\"} 0\n"
          "node_xfs_vnode_get_total{device=\"sda1\"} 0\n"
          "node_xfs_vnode_hold_total{device=\"sda1\"} 5\n"
          "node_xfs_vnode_release_total{device=\"sda1\"} 1\n"
          "node_xfs_vnode_reclaim_total{device=\"sda1\"} 1\n"
          "node_xfs_vnode_remove_total{device=\"sda1\"} 1\n");
  xfs.WriteSys("fs/xfs/sda1/stats/stats", "rw 28\n");
  REQUIRE(xfs.Run() == "error: " + xfs.Sys("fs/xfs/sda1/stats/stats") + ": '' is not a number");
}

TEST_CASE("btrfs collector reports space and commits", "[collectors]") {
  HostSubject btrfs("btrfs");
  const std::string folder = "fs/btrfs/7f07c59f-6136-449c-ab87-e1cf2328731b/";
  btrfs.WriteSys("fs/btrfs/features/raid56", "0\n");
  REQUIRE(btrfs.Run() == "");
  btrfs.WriteSys(folder + "label", "fixture\n");
  btrfs.WriteSys(folder + "devices/sda/size", "20971520\n");
  btrfs.WriteSys(folder + "devices/sdb/size", "20971520\n");
  btrfs.WriteSys(folder + "devices/sdc/size", "20971520\n");
  btrfs.WriteSys(folder + "allocation/global_rsv_size", "16777216\n");
  btrfs.WriteSys(folder + "allocation/data/bytes_reserved", "4096\n");
  btrfs.WriteSys(folder + "allocation/data/raid5/used_bytes", "644087808\n");
  btrfs.WriteSys(folder + "allocation/data/raid5/total_bytes", "2147483648\n");
  btrfs.WriteSys(folder + "commit_stats",
                 "commits 258051\nlast_commit_ms 1000\nmax_commit_ms 51462\ntotal_commit_ms 500\n");
  const std::string uuid = "uuid=\"7f07c59f-6136-449c-ab87-e1cf2328731b\"} ";
  REQUIRE(
      btrfs.Run() ==
      "node_btrfs_info{label=\"fixture\"," + uuid + "1\n" + "node_btrfs_global_rsv_size_bytes{" +
          uuid + "16777216\n" + "node_btrfs_device_size_bytes{device=\"sda\"," + uuid +
          "10737418240\n" + "node_btrfs_device_size_bytes{device=\"sdb\"," + uuid +
          "10737418240\n" + "node_btrfs_device_size_bytes{device=\"sdc\"," + uuid +
          "10737418240\n" + "node_btrfs_reserved_bytes{block_group_type=\"data\"," + uuid +
          "4096\n" + "node_btrfs_used_bytes{block_group_type=\"data\",mode=\"raid5\"," + uuid +
          "644087808\n" + "node_btrfs_size_bytes{block_group_type=\"data\",mode=\"raid5\"," + uuid +
          "2147483648\n" + "node_btrfs_allocation_ratio{block_group_type=\"data\",mode=\"raid5\"," +
          uuid + "1.5\n" + "node_btrfs_commits_total{" + uuid + "258051\n" +
          "node_btrfs_last_commit_seconds{" + uuid + "1\n" + "node_btrfs_max_commit_seconds{" +
          uuid + "51.462\n" + "node_btrfs_commit_seconds_total{" + uuid + "0.5\n");
}

TEST_CASE("ipvs collector reports totals and real servers", "[collectors]") {
  HostSubject ipvs("ipvs");
  REQUIRE(ipvs.Run() == "");
  ipvs.WriteProc("net/ip_vs_stats",
                 "   Total Incoming Outgoing         Incoming         Outgoing\n"
                 "   Conns  Packets  Packets            Bytes            Bytes\n"
                 " 16AA370 E33656E5        0     51D8C8883AB3                0\n"
                 "\n"
                 " Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s\n"
                 "       4    1FB3C        0          1282A8F                0\n");
  ipvs.WriteProc(
      "net/ip_vs",
      "IP Virtual Server version 1.2.1 (size=4096)\n"
      "Prot LocalAddress:Port Scheduler Flags\n"
      "  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n"
      "TCP  C0A80016:0CEA wlc\n"
      "  -> C0A85216:0CEA      Tunnel  100    248        2\n"
      "FWM  10001000 wlc\n"
      "  -> [2001:0DB8:0000:0000:0000:0000:0000:0001]:0050  Route   1      2        3\n");
  const std::string tcp =
      "{local_address=\"192.168.0.22\",local_port=\"3306\",proto=\"TCP\","
      "remote_address=\"192.168.82.22\",remote_port=\"3306\"} ";
  const std::string mark =
      "{local_mark=\"10001000\",local_port=\"0\",proto=\"FWM\",remote_address=\"2001:db8::1\","
      "remote_port=\"80\"} ";
  REQUIRE(ipvs.Run() ==
          "node_ipvs_connections_total 23765872\n"
          "node_ipvs_incoming_packets_total 3811989221\n"
          "node_ipvs_outgoing_packets_total 0\n"
          "node_ipvs_incoming_bytes_total 89991519156915\n"
          "node_ipvs_outgoing_bytes_total 0\n"
          "node_ipvs_backend_weight" +
              tcp + "100\n" +                                           //
              "node_ipvs_backend_weight" + mark + "1\n" +               //
              "node_ipvs_backend_connections_active" + tcp + "248\n" +  //
              "node_ipvs_backend_connections_active" + mark + "2\n" +   //
              "node_ipvs_backend_connections_inactive" + tcp + "2\n" +  //
              "node_ipvs_backend_connections_inactive" + mark + "3\n");
  ipvs.WriteProc("net/ip_vs", "TCP  C0A8001G:0CEA wlc\n");
  REQUIRE(ipvs.Run() ==
          "error: " + ipvs.Proc("net/ip_vs") + ": 'TCP  C0A8001G:0CEA wlc' is no server");
}
