// The rules that come with vigia.

#include "alerting/rules/bundled.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <set>

#include "alerting/rules/files.h"
#include "alerting/rules/unit_test/run.h"
#include "core/file.h"

namespace vigia::alerting::rules {
namespace {

const std::filesystem::path kFolder = VIGIA_RULES_DIR;

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

TEST_CASE("bundled rules are those of the folder, and have no faults", "[rules]") {
  std::size_t files = 0;
  for (const auto& path : FindFiles("*.yml", kFolder)) {
    if (path.filename().string().ends_with("_test.yml")) continue;
    ++files;
    config::Diagnostics diagnostics(path.string());
    CHECK_FALSE(LoadRuleFile(path, diagnostics).empty());
    CHECK(diagnostics.ToString().empty());
  }
  CHECK(files == BundledFiles().size());
  CHECK(BundledGroups().size() == files);
}

TEST_CASE("every bundled alert has a severity, a runbook, and tests in both directions",
          "[rules]") {
  const auto book = ReadFile(kFolder / "../docs/runbooks.md");
  REQUIRE(book);
  std::set<std::string> fire;
  std::set<std::string> quiet;
  for (const auto& path : FindFiles("*_test.yml", kFolder)) {
    config::Diagnostics diagnostics(path.string());
    for (const auto& test : LoadUnitTestFile(path, diagnostics).tests) {
      for (const auto& one : test.alerts) (one.alerts.empty() ? quiet : fire).insert(one.alert);
    }
    CHECK(diagnostics.ToString().empty());
  }
  for (const auto& group : BundledGroups()) {
    for (const auto& rule : group.rules) {
      INFO(rule->name);
      CHECK(rule->labels.at(0).first == "severity");
      CHECK(rule->annotations.at(0).first == "runbook_url");
      CHECK(rule->annotations.at(0).second.ends_with("#" + Lower(rule->name)));
      CHECK(book->find("### " + rule->name + "\n") != std::string::npos);
      CHECK(fire.contains(rule->name));
      CHECK((quiet.contains(rule->name) || rule->name == "Watchdog"));
    }
  }
}

TEST_CASE("the unit tests of the bundled rules pass", "[rules]") {
  for (const auto& path : FindFiles("*_test.yml", kFolder)) {
    config::Diagnostics diagnostics(path.string());
    const auto file = LoadUnitTestFile(path, diagnostics);
    const auto loaded = LoadRuleFiles(file.rule_files, kFolder);
    for (const auto& test : file.tests) {
      for (const auto& failure : RunUnitTest(file, test, loaded.groups, {})) FAIL_CHECK(failure);
    }
  }
}

}  // namespace vigia::alerting::rules
