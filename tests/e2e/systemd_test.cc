// vigia.service, hardened as it is shipped, under a real systemd of its own.

#include <catch2/catch.hpp>

#include "tests/e2e/vigia.h"

using namespace vigia::test;

TEST_CASE("systemd starts the unit, reloads it, restarts it when it hangs and stops it", "[e2e]") {
  if (!HasProgram("systemctl") || !HasProgram("unshare")) {
    WARN("SKIPPED: no systemd is installed");
    return;
  }
  const std::string source = VIGIA_SOURCE_DIR;
  TempDir dir;
  dir.Write("report", "");
  const auto run = RunProgram({source + "/tests/e2e/systemd.sh", VigiaProgram(),
                               source + "/packaging/vigia.service", source + "/packaging/vigia.yml",
                               std::to_string(FreePort()), dir.path() / "report"});
  const std::string said = dir.Read("report");
  INFO(run.output << said);
  if (run.exit_code == 77 || run.output.find("unshare: ") != std::string::npos) {
    WARN("SKIPPED: systemd cannot be run here: " << run.output << said);
    return;
  }
  const auto says = [&](const std::string& line) {
    return said.find(line + '\n') != std::string::npos;
  };
  CHECK(run.exit_code == 0);
  CHECK(says("state active, watching, user vigia"));
  CHECK(says("main process of vigia"));
  CHECK(says("answer vigia is ready"));
  // The hardening keeps nothing from being read.
  CHECK(says("collectors down: 0"));
  CHECK(says("reloaded 1"));
  CHECK(says("restarts 1, state active"));
  CHECK(says("result success, state inactive"));
  CHECK(said.find("msg=\"alert state restored\" alerts=1") != std::string::npos);
}
