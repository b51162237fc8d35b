#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/support/host_subject.h"

using namespace vigia::test;

TEST_CASE("hwmon collector reports sensors in base units", "[collectors]") {
  HostSubject hwmon("hwmon");
  REQUIRE(hwmon.Run() == "");
  const std::string chip = "class/hwmon/hwmon0/";
  hwmon.WriteSys("devices/platform/coretemp.0/modalias", "x\n");
  std::filesystem::create_directories(hwmon.Sys(chip));
  std::filesystem::create_symlink(hwmon.Sys("devices/platform/coretemp.0"),
                                  hwmon.Sys(chip + "device"));
  hwmon.WriteSys(chip + "name", "Core Temp\n");
  hwmon.WriteSys(chip + "temp1_input", "55500\n");
  hwmon.WriteSys(chip + "temp1_crit_alarm", "0\n");
  hwmon.WriteSys(chip + "temp1_alarm", "1\n");
  hwmon.WriteSys(chip + "temp1_label", "Package id 0\n");
  hwmon.WriteSys(chip + "temp2_input", "broken\n");
  hwmon.WriteSys(chip + "in0_input", "1250\n");
  hwmon.WriteSys(chip + "fan1_input", "1800\n");
  hwmon.WriteSys(chip + "fan1_beep", "1\n");
  hwmon.WriteSys(chip + "pwm1", "128\n");
  hwmon.WriteSys(chip + "curr1_max", "2500\n");
  hwmon.WriteSys(chip + "power1_input", "15000000\n");
  hwmon.WriteSys(chip + "power1_accuracy", "50000\n");
  hwmon.WriteSys(chip + "power1_average_interval_max", "2000\n");
  hwmon.WriteSys(chip + "energy1_input", "7500000\n");
  hwmon.WriteSys(chip + "humidity1_input", "450000\n");
  hwmon.WriteSys(chip + "update_interval", "1000\n");
  hwmon.WriteSys(chip + "uevent", "\n");
  const std::string labels = "{chip=\"platform_coretemp_0\",sensor=\"";
  REQUIRE(hwmon.Run() ==
          "node_hwmon_chip_names{chip=\"platform_coretemp_0\",chip_name=\"core_temp\"} 1\n"
          "node_hwmon_sensor_label{chip=\"platform_coretemp_0\",label=\"Package id 0\","
          "sensor=\"temp1\"} 1\n"
          "node_hwmon_curr_max_amps" +
              labels + "curr1\"} 2.5\n" +                                      //
              "node_hwmon_energy_joule_total" + labels + "energy1\"} 7.5\n" +  //
              "node_hwmon_fan_beep_enabled" + labels + "fan1\"} 1\n" +         //
              "node_hwmon_fan_rpm" + labels + "fan1\"} 1800\n" +               //
              "node_hwmon_humidity" + labels + "humidity1\"} 0.45\n" +         //
              "node_hwmon_in_volts" + labels + "in0\"} 1.25\n" +               //
              "node_hwmon_power_accuracy" + labels + "power1\"} 0.05\n" +      //
              "node_hwmon_power_average_interval_max_seconds" + labels + "power1\"} 2\n" +
              "node_hwmon_power_watt" + labels + "power1\"} 15\n" +             //
              "node_hwmon_pwm" + labels + "pwm1\"} 128\n" +                     //
              "node_hwmon_temp_alarm" + labels + "temp1\"} 1\n" +               //
              "node_hwmon_temp_crit_alarm_celsius" + labels + "temp1\"} 0\n" +  //
              "node_hwmon_temp_celsius" + labels + "temp1\"} 55.5\n" +
              "node_hwmon_update_interval_seconds" + labels + "update_interval0\"} 1\n");
}

TEST_CASE("hwmon collector names a chip by its driver or its folder and filters chips",
          "[collectors]") {
  HostSubject hwmon("hwmon", {{"chip_exclude", "^nct"}});
  hwmon.WriteSys("class/hwmon/hwmon0/name", "nct6779\n");
  hwmon.WriteSys("class/hwmon/hwmon0/temp1_input", "1000\n");
  hwmon.WriteSys("class/hwmon/hwmon1/name", "acpitz\n");
  hwmon.WriteSys("class/hwmon/hwmon1/temp1_input", "2000\n");
  hwmon.WriteSys("class/hwmon/hwmon2/temp1_input", "3000\n");
  REQUIRE(hwmon.Run() ==
          "node_hwmon_chip_names{chip=\"acpitz\",chip_name=\"acpitz\"} 1\n"
          "node_hwmon_temp_celsius{chip=\"acpitz\",sensor=\"temp1\"} 2\n"
          "node_hwmon_temp_celsius{chip=\"hwmon2\",sensor=\"temp1\"} 3\n");
}

TEST_CASE("powersupply collector reports batteries and mains", "[collectors]") {
  HostSubject supply("powersupply");
  REQUIRE(supply.Run() == "");
  supply.WriteSys("class/power_supply/AC/online", "0\n");
  supply.WriteSys("class/power_supply/AC/type", "Mains\n");
  supply.WriteSys("class/power_supply/BAT0/capacity", "98\n");
  supply.WriteSys("class/power_supply/BAT0/voltage_now", "12229000\n");
  supply.WriteSys("class/power_supply/BAT0/temp", "305\n");
  supply.WriteSys("class/power_supply/BAT0/status", "Discharging\n");
  supply.WriteSys("class/power_supply/BAT0/type", "Battery\n");
  REQUIRE(
      supply.Run() ==
      "node_power_supply_online{power_supply=\"AC\"} 0\n"
      "node_power_supply_info{power_supply=\"AC\",type=\"Mains\"} 1\n"
      "node_power_supply_info{power_supply=\"BAT0\",status=\"Discharging\",type=\"Battery\"} 1\n"
      "node_power_supply_capacity{power_supply=\"BAT0\"} 98\n"
      "node_power_supply_voltage_volt{power_supply=\"BAT0\"} 12.229\n"
      "node_power_supply_temp_celsius{power_supply=\"BAT0\"} 30.5\n");
}

TEST_CASE("rapl collector reports the energy of each power domain", "[collectors]") {
  HostSubject rapl("rapl");
  REQUIRE(rapl.Run() == "");
  const std::string folder = "class/powercap/intel-rapl";
  rapl.WriteSys(folder + "/enabled", "1\n");
  rapl.WriteSys(folder + ":0/name", "package-10\n");
  rapl.WriteSys(folder + ":0/energy_uj", "240422366267\n");
  rapl.WriteSys(folder + ":0:0/name", "dram\n");
  rapl.WriteSys(folder + ":0:0/energy_uj", "1500000\n");
  rapl.WriteSys(folder + ":1:0/name", "dram\n");
  rapl.WriteSys(folder + ":1:0/energy_uj", "2500000\n");
  REQUIRE(rapl.Run() == "node_rapl_package_joules_total{index=\"10\",path=\"" +
                            rapl.Sys(folder + ":0") + "\"} 240422.366267\n" +
                            "node_rapl_dram_joules_total{index=\"0\",path=\"" +
                            rapl.Sys(folder + ":0:0") + "\"} 1.5\n" +
                            "node_rapl_dram_joules_total{index=\"1\",path=\"" +
                            rapl.Sys(folder + ":1:0") + "\"} 2.5\n");
}
