#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/support/host_subject.h"

using namespace vigia::test;

TEST_CASE("thermal zone collector reports temperatures and cooling", "[collectors]") {
  HostSubject thermal("thermal_zone");
  REQUIRE(thermal.Run() == "");
  thermal.WriteSys("class/thermal/thermal_zone0/type", "x86_pkg_temp\n");
  thermal.WriteSys("class/thermal/thermal_zone0/temp", "44500\n");
  thermal.WriteSys("class/thermal/thermal_zone1/type", "acpitz\n");
  thermal.WriteSys("class/thermal/thermal_zone1/temp", "-5000\n");
  thermal.WriteSys("class/thermal/thermal_zone1/mode", "disabled\n");
  thermal.WriteSys("class/thermal/cooling_device0/type", "Processor\n");
  thermal.WriteSys("class/thermal/cooling_device0/cur_state", "1\n");
  thermal.WriteSys("class/thermal/cooling_device0/max_state", "10\n");
  REQUIRE(thermal.Run() ==
          "node_cooling_device_cur_state{name=\"0\",type=\"Processor\"} 1\n"
          "node_cooling_device_max_state{name=\"0\",type=\"Processor\"} 10\n"
          "node_thermal_zone_temp{type=\"x86_pkg_temp\",zone=\"0\"} 44.5\n");
  thermal.WriteSys("class/thermal/thermal_zone0/temp", "hot\n");
  REQUIRE(thermal.Run() ==
          "error: " + thermal.Sys("class/thermal/thermal_zone0/temp") + ": 'hot' is not a number");
}

TEST_CASE("cpufreq collector reports each CPU of a policy", "[collectors]") {
  HostSubject cpufreq("cpufreq");
  REQUIRE(cpufreq.Run() == "");
  const std::string policy = "devices/system/cpu/cpufreq/policy0/";
  cpufreq.WriteSys(policy + "affected_cpus", "0 1\n");
  cpufreq.WriteSys(policy + "cpuinfo_min_freq", "800000\n");
  cpufreq.WriteSys(policy + "scaling_cur_freq", "1219917\n");
  cpufreq.WriteSys(policy + "scaling_governor", "powersave\n");
  cpufreq.WriteSys(policy + "scaling_available_governors", "performance powersave\n");
  REQUIRE(cpufreq.Run() ==
          "node_cpu_frequency_min_hertz{cpu=\"0\"} 800000000\n"
          "node_cpu_frequency_min_hertz{cpu=\"1\"} 800000000\n"
          "node_cpu_scaling_frequency_hertz{cpu=\"0\"} 1219917000\n"
          "node_cpu_scaling_frequency_hertz{cpu=\"1\"} 1219917000\n"
          "node_cpu_scaling_governor{cpu=\"0\",governor=\"performance\"} 0\n"
          "node_cpu_scaling_governor{cpu=\"0\",governor=\"powersave\"} 1\n"
          "node_cpu_scaling_governor{cpu=\"1\",governor=\"performance\"} 0\n"
          "node_cpu_scaling_governor{cpu=\"1\",governor=\"powersave\"} 1\n");
}

TEST_CASE("nvme collector reports controllers", "[collectors]") {
  HostSubject nvme("nvme");
  REQUIRE(nvme.Run() == "");
  nvme.WriteSys("class/nvme/nvme0/firmware_rev", "1B2QEXP7\n");
  nvme.WriteSys("class/nvme/nvme0/model", "Samsung SSD 970 PRO 512GB               \n");
  nvme.WriteSys("class/nvme/nvme0/serial", "S680HF8N190894I     \n");
  nvme.WriteSys("class/nvme/nvme0/state", "live\n");
  REQUIRE(nvme.Run() ==
          "node_nvme_info{device=\"nvme0\",firmware_revision=\"1B2QEXP7\","
          "model=\"Samsung SSD 970 PRO 512GB\",serial=\"S680HF8N190894I\",state=\"live\"} 1\n");
  std::filesystem::remove_all(nvme.Sys("class/nvme/nvme0"));
  REQUIRE(nvme.Run() == "");
}

TEST_CASE("edac collector reports errors of controllers and rows", "[collectors]") {
  HostSubject edac("edac");
  REQUIRE(edac.Run() == "");
  const std::string mc = "devices/system/edac/mc/mc0/";
  edac.WriteSys("devices/system/edac/mc/power/control", "auto\n");
  edac.WriteSys(mc + "ce_count", "1\n");
  edac.WriteSys(mc + "ue_count", "5\n");
  edac.WriteSys(mc + "ce_noinfo_count", "2\n");
  edac.WriteSys(mc + "ue_noinfo_count", "6\n");
  edac.WriteSys(mc + "csrow0/ce_count", "3\n");
  edac.WriteSys(mc + "csrow0/ue_count", "4\n");
  REQUIRE(edac.Run() ==
          "node_edac_correctable_errors_total{controller=\"0\"} 1\n"
          "node_edac_uncorrectable_errors_total{controller=\"0\"} 5\n"
          "node_edac_csrow_correctable_errors_total{controller=\"0\",csrow=\"unknown\"} 2\n"
          "node_edac_csrow_correctable_errors_total{controller=\"0\",csrow=\"0\"} 3\n"
          "node_edac_csrow_uncorrectable_errors_total{controller=\"0\",csrow=\"unknown\"} 6\n"
          "node_edac_csrow_uncorrectable_errors_total{controller=\"0\",csrow=\"0\"} 4\n");
}

TEST_CASE("bonding collector counts the devices of a bond", "[collectors]") {
  HostSubject bonding("bonding");
  REQUIRE(bonding.Run() == "");
  bonding.WriteSys("class/net/bonding_masters", "bond0 dmz\n");
  bonding.WriteSys("class/net/bond0/bonding/slaves", "\n");
  bonding.WriteSys("class/net/dmz/bonding/slaves", "eth0 eth4\n");
  bonding.WriteSys("class/net/dmz/lower_eth0/bonding_slave/mii_status", "up\n");
  bonding.WriteSys("class/net/dmz/slave_eth4/bonding_slave/mii_status", "down\n");
  REQUIRE(bonding.Run() ==
          "node_bonding_slaves{master=\"bond0\"} 0\n"
          "node_bonding_slaves{master=\"dmz\"} 2\n"
          "node_bonding_active{master=\"bond0\"} 0\n"
          "node_bonding_active{master=\"dmz\"} 1\n");
}
