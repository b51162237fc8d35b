#include <catch2/catch.hpp>

#include "tests/support/collect.h"
#include "tests/support/fixtures.h"
#include "tests/support/host_subject.h"

using namespace vigia::test;
using namespace std::chrono_literals;

TEST_CASE("diskstats collector reports the disks in bytes and seconds", "[collectors]") {
  const auto text = CollectText("host.diskstats", {{"procfs", Fixture("host/proc")},
                                                   {"sysfs", "/nowhere"},
                                                   {"rootfs", "/nowhere"},
                                                   {"device_include", "^(vda|dm-0)$"}});
  REQUIRE(text ==
          "node_disk_reads_completed_total{device=\"vda\"} 40151\n"
          "node_disk_reads_completed_total{device=\"dm-0\"} 59910002\n"
          "node_disk_reads_merged_total{device=\"vda\"} 10577\n"
          "node_disk_reads_merged_total{device=\"dm-0\"} 0\n"
          "node_disk_read_bytes_total{device=\"vda\"} 2562536448\n"
          "node_disk_read_bytes_total{device=\"dm-0\"} 513708655616\n"
          "node_disk_read_time_seconds_total{device=\"vda\"} 18.445\n"
          "node_disk_read_time_seconds_total{device=\"dm-0\"} 46229.572\n"
          "node_disk_writes_completed_total{device=\"vda\"} 18768\n"
          "node_disk_writes_completed_total{device=\"dm-0\"} 39231014\n"
          "node_disk_writes_merged_total{device=\"vda\"} 9447\n"
          "node_disk_writes_merged_total{device=\"dm-0\"} 0\n"
          "node_disk_written_bytes_total{device=\"vda\"} 1551020032\n"
          "node_disk_written_bytes_total{device=\"dm-0\"} 258916880384\n"
          "node_disk_write_time_seconds_total{device=\"vda\"} 7.712\n"
          "node_disk_write_time_seconds_total{device=\"dm-0\"} 1158557.8\n"
          "node_disk_io_now{device=\"vda\"} 0\n"
          "node_disk_io_now{device=\"dm-0\"} 0\n"
          "node_disk_io_time_seconds_total{device=\"vda\"} 8.064\n"
          "node_disk_io_time_seconds_total{device=\"dm-0\"} 11325.968\n"
          "node_disk_io_time_weighted_seconds_total{device=\"vda\"} 27.146\n"
          "node_disk_io_time_weighted_seconds_total{device=\"dm-0\"} 1206301.256\n"
          "node_disk_discards_completed_total{device=\"vda\"} 8645\n"
          "node_disk_discards_merged_total{device=\"vda\"} 32\n"
          "node_disk_discarded_sectors_total{device=\"vda\"} 1349760\n"
          "node_disk_discard_time_seconds_total{device=\"vda\"} 0.83\n"
          "node_disk_flush_requests_total{device=\"vda\"} 2494\n"
          "node_disk_flush_requests_time_seconds_total{device=\"vda\"} 0.159\n"
          "node_disk_info{device=\"vda\",major=\"254\",minor=\"0\"} 1\n"
          "node_disk_info{device=\"dm-0\",major=\"253\",minor=\"0\"} 1\n");
}

TEST_CASE("diskstats collector leaves partitions and loop devices out", "[collectors]") {
  const auto text = CollectText("host.diskstats", {{"procfs", Fixture("host/proc")}});
  REQUIRE(text.find("device=\"sda\"") != std::string::npos);
  REQUIRE(text.find("device=\"sda1\"") == std::string::npos);
  REQUIRE(text.find("device=\"loop0\"") == std::string::npos);

  const auto chosen = CollectText(
      "host.diskstats", {{"procfs", Fixture("host/proc")}, {"device_exclude", "^(dm-|vda|loop)"}});
  REQUIRE(chosen.find("device=\"sda1\"") != std::string::npos);
  REQUIRE(chosen.find("device=\"vda\"") == std::string::npos);

  REQUIRE(CollectText("host.diskstats", {{"device_exclude", "a"}, {"device_include", "b"}})
              .find("device_include: cannot be combined with device_exclude") != std::string::npos);
}

namespace {

class Disks : public HostSubject {
 public:
  Disks() : HostSubject("diskstats") {
    WriteProc("diskstats", "253 0 dm-0 1 0 0 0 0 0 0 0 0 0 0\n");
  }
  void WriteUdev(const std::string& name, std::string_view content) const {
    WriteRoot("run/udev/data/" + name, content);
  }
  // What follows the counters.
  std::string Properties() {
    const auto text = Run();
    return text.substr(std::min(text.size(), text.find("node_disk_info")));
  }
};

}  // namespace

TEST_CASE("diskstats collector takes the properties of a disk from udev", "[collectors]") {
  Disks disks;
  disks.WriteUdev("b253:0",
                  "S:disk/by-id/dm-name-vg0-root\n"
                  "W:1\n"
                  "E:ID_SERIAL=WDC_WD80\n"
                  "E:SCSI_IDENT_SERIAL=7SGLNGVC\n"
                  "E:ID_SERIAL_SHORT=XXX\n"
                  "E:ID_PATH=pci-0000:00:1f.2-ata-1\n"
                  "E:ID_WWN=0x5000cca099cc01aa\n"
                  "E:ID_MODEL=WDC_WD80EFAX\n"
                  "E:ID_REVISION=81.00A81\n"
                  "E:ID_FS_TYPE=ext4\n"
                  "E:ID_FS_USAGE=filesystem\n"
                  "E:ID_FS_UUID=7cdd9e4e\n"
                  "E:ID_FS_VERSION=1.0\n"
                  "E:DM_NAME=vg0-root\n"
                  "E:DM_UUID=LVM-3zSHSR\n"
                  "E:DM_VG_NAME=vg0\n"
                  "E:DM_LV_NAME=root\n"
                  "E:ID_ATA_WRITE_CACHE=1\n"
                  "E:ID_ATA_WRITE_CACHE_ENABLED=0\n"
                  "E:ID_ATA_ROTATION_RATE_RPM=7200\n"
                  "E:no value\n");
  disks.WriteSys("block/dm-0/slaves/sdb2/size", "1\n");
  disks.WriteSys("block/dm-0/slaves/sda2/size", "1\n");
  REQUIRE(disks.Properties() ==
          "node_disk_info{device=\"dm-0\",major=\"253\",minor=\"0\",model=\"WDC_WD80EFAX\","
          "path=\"pci-0000:00:1f.2-ata-1\",revision=\"81.00A81\",serial=\"7SGLNGVC\","
          "wwn=\"0x5000cca099cc01aa\"} 1\n"
          "node_disk_filesystem_info{device=\"dm-0\",type=\"ext4\",usage=\"filesystem\","
          "uuid=\"7cdd9e4e\",version=\"1.0\"} 1\n"
          "node_disk_device_mapper_info{device=\"dm-0\",lv_name=\"root\",name=\"vg0-root\","
          "uuid=\"LVM-3zSHSR\",vg_name=\"vg0\"} 1\n"
          "node_disk_device_mapper_backing_device_info{backing_device=\"sda2\",device=\"dm-0\"} 1\n"
          "node_disk_device_mapper_backing_device_info{backing_device=\"sdb2\",device=\"dm-0\"} 1\n"
          "node_disk_ata_write_cache{device=\"dm-0\"} 1\n"
          "node_disk_ata_write_cache_enabled{device=\"dm-0\"} 0\n"
          "node_disk_ata_rotation_rate_rpm{device=\"dm-0\"} 7200\n");
}

TEST_CASE("diskstats collector takes the properties of a disk from sysfs without udev",
          "[collectors]") {
  Disks disks;
  disks.WriteSys("block/dm-0/device/model", "Samsung SSD 970  \n");
  disks.WriteSys("block/dm-0/serial", "S4EV\n");
  disks.WriteSys("block/dm-0/device/firmware_rev", "2B2Q\n");
  disks.WriteSys("block/dm-0/wwid", "eui.0025385\n");
  REQUIRE(disks.Properties() ==
          "node_disk_info{device=\"dm-0\",major=\"253\",minor=\"0\",model=\"Samsung_SSD_970\","
          "revision=\"2B2Q\",serial=\"S4EV\",wwn=\"eui.0025385\"} 1\n");
}

TEST_CASE("diskstats collector looks at udev again after a minute", "[collectors]") {
  Disks disks;
  const std::string bare = "node_disk_info{device=\"dm-0\",major=\"253\",minor=\"0\"} 1\n";
  REQUIRE(disks.Properties() == bare);
  disks.WriteUdev("b253:0", "E:ID_MODEL=X\n");
  disks.clock().Advance(59s);
  REQUIRE(disks.Properties() == bare);
  disks.clock().Advance(1s);
  REQUIRE(disks.Properties() ==
          "node_disk_info{device=\"dm-0\",major=\"253\",minor=\"0\",model=\"X\"} 1\n");
}

TEST_CASE("diskstats collector names the file when a line is malformed", "[collectors]") {
  Disks disks;
  const auto file = "error: " + disks.Proc("diskstats");
  disks.WriteProc("diskstats", "8 0 sda 1 2 3\n");
  REQUIRE(disks.Run() == file + ": too few columns for 'sda'");
  disks.WriteProc("diskstats", "8 0 sda 1 2 3 x 5 6 7 8 9 10 11\n");
  REQUIRE(disks.Run() == file + ": 'x' is not a number");
  HostSubject missing("diskstats");
  REQUIRE(missing.Run() == "error: " + missing.Proc("diskstats") + ": No such file or directory");
}
