#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <vector>

#include "core/file.h"
#include "tests/promql/script.h"

namespace vigia::promql::test {
namespace {

namespace fs = std::filesystem;

// Runs every script of a folder; each is to pass whole.
void RunFolder(const fs::path& folder, Semantics semantics) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".test") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  REQUIRE(!files.empty());
  for (const auto& file : files) {
    const auto text = ReadFile(file);
    REQUIRE(text);
    const auto report = RunScript(file.filename().string(), *text, semantics);
    std::cout << folder.filename().string() << "/" << file.filename().string() << ": "
              << report.passed << " passed, " << report.failed << " failed, " << report.skipped
              << " skipped\n";
    for (const auto& failure : report.failures) UNSCOPED_INFO(failure);
    CHECK(report.failed == 0);
    CHECK(report.passed > 0);
  }
}

// Prometheus' own scripts, which are not part of this repository.
std::optional<fs::path> PrometheusScripts() {
  const char* const folder = std::getenv("VIGIA_PROMQLTEST_DIR");
  if (folder) return folder;
  std::cout << "VIGIA_PROMQLTEST_DIR is not set: Prometheus' own scripts are skipped\n";
  return std::nullopt;
}

}  // namespace

TEST_CASE("our scripts pass", "[promql]") { RunFolder(VIGIA_SCRIPTS_DIR, Semantics::kPrometheus3); }

TEST_CASE("our scripts for Prometheus 2 pass", "[promql]") {
  RunFolder(VIGIA_SCRIPTS_DIR "/prometheus2", Semantics::kPrometheus2);
}

TEST_CASE("scripts of the current Prometheus pass", "[promql]") {
  if (const auto folder = PrometheusScripts()) {
    RunFolder(*folder / "head", Semantics::kPrometheus3);
  }
}

TEST_CASE("scripts of Prometheus 2.42 pass in its mode", "[promql]") {
  if (const auto folder = PrometheusScripts()) {
    RunFolder(*folder / "v2.42.0", Semantics::kPrometheus2);
  }
}

}  // namespace vigia::promql::test
