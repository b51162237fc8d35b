#include <catch2/catch.hpp>

#include "tests/support/collect.h"
#include "tests/support/fixtures.h"
#include "tests/support/host_subject.h"

using namespace vigia;
using namespace vigia::test;

namespace {

class Cpu : public HostSubject {
 public:
  explicit Cpu(std::map<std::string, std::string> options = {{"guest", "false"}})
      : HostSubject("cpu", std::move(options)) {}

  std::string RunWith(const std::string& stat) {
    WriteProc("stat", stat);
    return Run();
  }
};

std::string Cpus(const std::string& name) { return "devices/system/cpu/" + name; }

}  // namespace

TEST_CASE("cpu collector reports every mode and guest time of each CPU", "[collectors]") {
  REQUIRE(CollectText("host.cpu", {{"procfs", Fixture("host/proc")}, {"sysfs", "/nowhere"}}) ==
          "node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 3016.07\n"
          "node_cpu_seconds_total{cpu=\"0\",mode=\"nice\"} 14.46\n"
          "node_cpu_seconds_total{cpu=\"0\",mode=\"system\"} 1013.47\n"
          "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 91974.16\n"
          "node_cpu_seconds_total{cpu=\"0\",mode=\"iowait\"} 40.42\n"
          "node_cpu_seconds_total{cpu=\"0\",mode=\"irq\"} 0.03\n"
          "node_cpu_seconds_total{cpu=\"0\",mode=\"softirq\"} 7.11\n"
          "node_cpu_seconds_total{cpu=\"0\",mode=\"steal\"} 2.04\n"
          "node_cpu_seconds_total{cpu=\"1\",mode=\"user\"} 4015.4\n"
          "node_cpu_seconds_total{cpu=\"1\",mode=\"nice\"} 16.54\n"
          "node_cpu_seconds_total{cpu=\"1\",mode=\"system\"} 1016.54\n"
          "node_cpu_seconds_total{cpu=\"1\",mode=\"idle\"} 91956.32\n"
          "node_cpu_seconds_total{cpu=\"1\",mode=\"iowait\"} 51.3\n"
          "node_cpu_seconds_total{cpu=\"1\",mode=\"irq\"} 0\n"
          "node_cpu_seconds_total{cpu=\"1\",mode=\"softirq\"} 15\n"
          "node_cpu_seconds_total{cpu=\"1\",mode=\"steal\"} 0.07\n"
          "node_cpu_guest_seconds_total{cpu=\"0\",mode=\"user\"} 123.45\n"
          "node_cpu_guest_seconds_total{cpu=\"0\",mode=\"nice\"} 6.78\n"
          "node_cpu_guest_seconds_total{cpu=\"1\",mode=\"user\"} 0\n"
          "node_cpu_guest_seconds_total{cpu=\"1\",mode=\"nice\"} 0\n");
}

TEST_CASE("cpu collector leaves guest time out when told", "[collectors]") {
  Cpu cpu;
  REQUIRE(cpu.RunWith("cpu0 1 0 0 0 0 0 0 0 7 7\n").find("guest") == std::string::npos);
}

TEST_CASE("cpu counters do not follow a kernel that counts some ticks back", "[collectors]") {
  Cpu cpu;
  cpu.RunWith("cpu0 100 0 0 1000 500 0 0 0\n");
  REQUIRE(cpu.RunWith("cpu0 110 0 0 999 450 0 0 0\n") ==
          "node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 1.1\n"
          "node_cpu_seconds_total{cpu=\"0\",mode=\"nice\"} 0\n"
          "node_cpu_seconds_total{cpu=\"0\",mode=\"system\"} 0\n"
          "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 10\n"
          "node_cpu_seconds_total{cpu=\"0\",mode=\"iowait\"} 5\n"
          "node_cpu_seconds_total{cpu=\"0\",mode=\"irq\"} 0\n"
          "node_cpu_seconds_total{cpu=\"0\",mode=\"softirq\"} 0\n"
          "node_cpu_seconds_total{cpu=\"0\",mode=\"steal\"} 0\n");
}

TEST_CASE("cpu counters begin again when idle falls by three seconds", "[collectors]") {
  Cpu cpu;
  cpu.RunWith("cpu0 100 0 0 1000 500 0 0 0\n");
  const auto text = cpu.RunWith("cpu0 2 0 0 700 3 0 0 0\n");
  REQUIRE(text.find("mode=\"user\"} 0.02\n") != std::string::npos);
  REQUIRE(text.find("mode=\"idle\"} 7\n") != std::string::npos);
  REQUIRE(text.find("mode=\"iowait\"} 0.03\n") != std::string::npos);
}

TEST_CASE("an unplugged CPU is no longer listed and starts anew when it returns", "[collectors]") {
  Cpu cpu;
  cpu.RunWith("cpu 0\ncpu0 1 0 0 5\ncpu1 9 0 0 5\n");
  REQUIRE(cpu.RunWith("cpu 0\ncpu0 1 0 0 5\n").find("cpu=\"1\"") == std::string::npos);
  REQUIRE(
      cpu.RunWith("cpu 0\ncpu0 1 0 0 5\ncpu1 2 0 0 5\n").find("cpu=\"1\",mode=\"user\"} 0.02\n") !=
      std::string::npos);
}

TEST_CASE("cpu counters of 64 bits are read whole", "[collectors]") {
  Cpu cpu;
  REQUIRE(cpu.RunWith("cpu0 18446744073709551615 0 0 0\n").find("} 184467440737095520\n") !=
          std::string::npos);
  REQUIRE(cpu.RunWith("cpu0 18446744073709551616 0 0 0\n").find("is not a number") !=
          std::string::npos);
}

TEST_CASE("cpu collector names the file when a line is malformed", "[collectors]") {
  Cpu cpu;
  const auto stat = cpu.Proc("stat");
  REQUIRE(cpu.RunWith("cpu0 1 x 3 4\n") == "error: " + stat + ": 'x' is not a number");
  REQUIRE(cpu.RunWith("cpu0 1 -2 3 4\n") == "error: " + stat + ": '-2' is not a number");
  REQUIRE(cpu.RunWith("cpu0 1 2 3\n") == "error: " + stat + ": cpu0 has too few fields");
  REQUIRE(cpu.RunWith("cpux 1 2 3 4\n") == "error: " + stat + ": 'x' is not the number of a CPU");
  REQUIRE(cpu.RunWith("cpu999999 1 2 3 4\n") ==
          "error: " + stat + ": '999999' is not the number of a CPU");
  REQUIRE(cpu.RunWith("") == "error: " + stat + ": lists no CPU");
}

TEST_CASE("cpu collector lists CPUs that are offline or isolated", "[collectors]") {
  Cpu cpu;
  cpu.WriteSys(Cpus("present"), "0-3\n");
  cpu.WriteSys(Cpus("online"), "0,2-3\n");
  cpu.WriteSys(Cpus("isolated"), "3\n");
  const auto text = cpu.RunWith("cpu0 0 0 0 0\n");
  REQUIRE(text.substr(text.find("node_cpu_online")) ==
          "node_cpu_online{cpu=\"0\"} 1\n"
          "node_cpu_online{cpu=\"1\"} 0\n"
          "node_cpu_online{cpu=\"2\"} 1\n"
          "node_cpu_online{cpu=\"3\"} 1\n"
          "node_cpu_isolated{cpu=\"3\"} 1\n");

  cpu.WriteSys(Cpus("online"), "0-2,1\n");
  REQUIRE(cpu.RunWith("cpu0 0 0 0 0\n") ==
          "error: " + cpu.Sys(Cpus("online")) + ": '1' is not a range of CPUs");
}

TEST_CASE("cpu collector counts throttling once per core and package", "[collectors]") {
  Cpu cpu;
  // Two threads of one core, and a second core.
  const std::vector<std::pair<std::string, std::string>> topology{
      {"0", "0"}, {"0", "0"}, {"0", "4"}};
  for (std::size_t i = 0; i < topology.size(); ++i) {
    const auto folder = Cpus("cpu" + std::to_string(i));
    cpu.WriteSys(folder + "/topology/physical_package_id", topology[i].first + "\n");
    cpu.WriteSys(folder + "/topology/core_id", topology[i].second + "\n");
    cpu.WriteSys(folder + "/thermal_throttle/core_throttle_count", std::to_string(i + 5) + "\n");
    cpu.WriteSys(folder + "/thermal_throttle/package_throttle_count", "30\n");
  }
  const auto text = cpu.RunWith("cpu0 0 0 0 0\ncpu1 0 0 0 0\ncpu2 0 0 0 0\n");
  REQUIRE(text.substr(text.find("node_cpu_core_throttles")) ==
          "node_cpu_core_throttles_total{core=\"0\",package=\"0\"} 5\n"
          "node_cpu_core_throttles_total{core=\"4\",package=\"0\"} 7\n"
          "node_cpu_package_throttles_total{package=\"0\"} 30\n");
}

TEST_CASE("cpu collector describes processors when told", "[collectors]") {
  Cpu cpu({{"flags_include", "^(aes|avx2?)$"}, {"bugs_include", "spectre"}});
  cpu.WriteProc("cpuinfo",
                "processor\t: 0\n"
                "vendor_id\t: GenuineIntel\n"
                "cpu family\t: 6\n"
                "model\t\t: 142\n"
                "model name\t: Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz\n"
                "stepping\t: 10\n"
                "microcode\t: 0xb4\n"
                "cache size\t: 8192 KB\n"
                "physical id\t: 0\n"
                "core id\t\t: 2\n"
                "flags\t\t: fpu vme avx aes\n"
                "bugs\t\t: cpu_meltdown spectre_v1\n"
                "\n"
                "processor\t: 1\n"
                "vendor_id\t: GenuineIntel\n"
                "\n"
                "Hardware\t: a line that some architectures add\n");
  const auto text = cpu.RunWith("cpu0 0 0 0 0\n");
  REQUIRE(text.substr(text.find("node_cpu_info")) ==
          "node_cpu_info{cachesize=\"8192 KB\",core=\"2\",cpu=\"0\",family=\"6\","
          "microcode=\"0xb4\",model=\"142\","
          "model_name=\"Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz\",package=\"0\","
          "stepping=\"10\",vendor=\"GenuineIntel\"} 1\n"
          "node_cpu_info{cpu=\"1\",vendor=\"GenuineIntel\"} 1\n"
          "node_cpu_flag_info{flag=\"avx\"} 1\n"
          "node_cpu_flag_info{flag=\"aes\"} 1\n"
          "node_cpu_bug_info{bug=\"spectre_v1\"} 1\n");
}

TEST_CASE("a regular expression that does not compile is a fault of the options", "[collectors]") {
  REQUIRE(CollectText("host.cpu", {{"flags_include", "("}})
              .find("flags_include: '(' is not a regular expression: missing ): (") !=
          std::string::npos);
}
