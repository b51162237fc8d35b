#include <catch2/catch.hpp>

#include "tests/support/collect.h"
#include "tests/support/fixtures.h"
#include "tests/support/host_subject.h"

using namespace vigia::test;

TEST_CASE("interrupts collector reports lines under the numbers of the CPUs", "[collectors]") {
  REQUIRE(CollectText("host.interrupts", {{"procfs", Fixture("host/proc")}}) ==
          "node_interrupts_total{cpu=\"0\",devices=\"2-edge virtio3-tx\","
          "info=\"PCI-MSIX-0000:00:04.0\",type=\"42\"} 0\n"
          "node_interrupts_total{cpu=\"2\",devices=\"2-edge virtio3-tx\","
          "info=\"PCI-MSIX-0000:00:04.0\",type=\"42\"} 5579\n"
          "node_interrupts_total{cpu=\"0\",info=\"Local timer interrupts\",type=\"LOC\"} 127214\n"
          "node_interrupts_total{cpu=\"2\",info=\"Local timer interrupts\",type=\"LOC\"} 136370\n");
}

TEST_CASE("interrupts collector leaves out what it is told", "[collectors]") {
  const std::string proc = Fixture("host/proc");
  const auto without_zeros =
      CollectText("host.interrupts", {{"procfs", proc}, {"include_zeros", "false"}});
  REQUIRE(without_zeros.find("} 0\n") == std::string::npos);
  REQUIRE(without_zeros.find("} 5579\n") != std::string::npos);
  const auto chosen =
      CollectText("host.interrupts", {{"procfs", proc}, {"name_include", "^LOC;Local"}});
  REQUIRE(chosen.find("type=\"42\"") == std::string::npos);
  REQUIRE(chosen.find("type=\"LOC\"") != std::string::npos);
}

TEST_CASE("interrupts collector names the file when it is malformed", "[collectors]") {
  HostSubject interrupts("interrupts");
  const auto file = "error: " + interrupts.Proc("interrupts");
  REQUIRE(interrupts.Run() == file + ": No such file or directory");
  interrupts.WriteProc("interrupts", "");
  REQUIRE(interrupts.Run() == file + ": has no heading of CPUs");
  interrupts.WriteProc("interrupts", "CPU0 CPUx\n");
  REQUIRE(interrupts.Run() == file + ": has no heading of CPUs");
  interrupts.WriteProc("interrupts", "CPU0\n NMI  1\n");
  REQUIRE(interrupts.Run() == file + ": ' NMI  1' has no colon");
  interrupts.WriteProc("interrupts", "CPU0\nNMI: x\n");
  REQUIRE(interrupts.Run() == file + ": 'x' is not a number");
}

TEST_CASE("softirqs collector reports kinds by CPU", "[collectors]") {
  HostSubject softirqs("softirqs");
  const auto file = "error: " + softirqs.Proc("softirqs");
  REQUIRE(softirqs.Run() == file + ": No such file or directory");
  softirqs.WriteProc("softirqs", "          CPU0       CPU1\n  TIMER:  13512      12463\n");
  REQUIRE(softirqs.Run() ==
          "node_softirqs_functions_total{cpu=\"0\",type=\"TIMER\"} 13512\n"
          "node_softirqs_functions_total{cpu=\"1\",type=\"TIMER\"} 12463\n");
  softirqs.WriteProc("softirqs", "CPU0       CPU1\n  TIMER:  13512\n");
  REQUIRE(softirqs.Run() == file + ": '' is not a number");
}
