#include "exporter/cli/test_rules.h"

#include <chrono>
#include <cstdio>
#include <filesystem>

#include "alerting/rules/files.h"
#include "alerting/rules/unit_test/run.h"
#include "core/file.h"
#include "core/number.h"
#include "core/series.h"
#include "exporter/cli/exit.h"
#include "query/promql/regex.h"

namespace vigia::exporter::cli {
namespace {

namespace rules = alerting::rules;

struct CaseResult {
  std::string name;
  std::vector<std::string> failures;
  double seconds = 0;
};

struct FileResult {
  std::string file;
  std::vector<std::string> errors;  // of the file itself
  std::vector<std::string> warnings;
  std::vector<CaseResult> cases;

  bool ok() const {
    if (!errors.empty()) return false;
    for (const auto& one : cases) {
      if (!one.failures.empty()) return false;
    }
    return true;
  }
};

bool IsChosen(const std::string& name, const std::vector<promql::Regex>& run) {
  if (run.empty()) return true;
  for (const auto& regex : run) {
    if (regex.Matches(name)) return true;
  }
  return false;
}

FileResult TestFile(const std::string& path, const std::vector<promql::Regex>& run,
                    const TestRulesOptions& options) {
  FileResult result{.file = path};
  config::Diagnostics diagnostics(path);
  const auto file = rules::LoadUnitTestFile(path, diagnostics, options.ignore_unknown_fields);
  result.errors = diagnostics.Lines();
  auto loaded = rules::LoadRuleFiles(file.rule_files, std::filesystem::path(path).parent_path());
  result.errors.insert(result.errors.end(), loaded.faults.begin(), loaded.faults.end());
  for (const auto& pattern : loaded.unmatched) {
    result.warnings.push_back("no file match pattern " + pattern);
  }
  if (!result.errors.empty()) return result;
  for (const auto& test : file.tests) {
    if (!IsChosen(test.name, run)) continue;
    const auto begin = std::chrono::steady_clock::now();
    CaseResult one{.name = test.name.empty() ? "line " + std::to_string(test.position.line)
                                             : test.name};
    one.failures = rules::RunUnitTest(file, test, loaded.groups, {.diff = options.diff});
    one.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    result.cases.push_back(std::move(one));
  }
  return result;
}

void Print(const FileResult& result) {
  std::printf("Unit Testing:  %s\n", result.file.c_str());
  for (const auto& warning : result.warnings)
    std::fprintf(stderr, "  WARNING: %s\n", warning.c_str());
  std::fflush(stdout);
  if (result.ok()) {
    std::printf("  SUCCESS\n\n");
    return;
  }
  std::fprintf(stderr, "  FAILED:\n");
  for (const auto& error : result.errors) std::fprintf(stderr, "%s\n", error.c_str());
  for (const auto& one : result.cases) {
    for (const auto& failure : one.failures) std::fprintf(stderr, "%s\n\n", failure.c_str());
  }
}

std::string XmlText(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string JunitPage(const std::vector<FileResult>& results) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const auto& result : results) {
    std::size_t failed = 0;
    for (const auto& one : result.cases) {
      if (!one.failures.empty()) ++failed;
    }
    out += "  <testsuite name=\"" + XmlText(result.file) + "\" tests=\"" +
           std::to_string(result.cases.size()) + "\" failures=\"" + std::to_string(failed) +
           "\" errors=\"" + std::to_string(result.errors.size()) + "\">\n";
    for (const auto& one : result.cases) {
      out += "    <testcase name=\"" + XmlText(one.name) + "\" time=\"" +
             FormatDouble(one.seconds) + "\">\n";
      for (const auto& failure : one.failures) {
        out += "      <failure>" + XmlText(failure) + "</failure>\n";
      }
      out += "    </testcase>\n";
    }
    for (const auto& error : result.errors) {
      out += "    <testcase name=\"load\"><error>" + XmlText(error) + "</error></testcase>\n";
    }
    out += "  </testsuite>\n";
  }
  return out + "</testsuites>\n";
}

}  // namespace

int TestRules(const TestRulesOptions& options) {
  std::vector<promql::Regex> run;
  for (const auto& pattern : options.run) {
    // Found anywhere in the name, as promtool does.
    auto regex =
        promql::Regex::CompileAnchored(".*(?:" + pattern + ").*", promql::Semantics::kPrometheus3);
    if (!regex) {
      std::fprintf(stderr, "--run: %s\n", regex.error().message().c_str());
      return kExitUsage;
    }
    run.push_back(*std::move(regex));
  }
  int code = kExitFine;
  std::vector<FileResult> results;
  for (const auto& path : options.files) {
    results.push_back(TestFile(path, run, options));
    Print(results.back());
    if (!results.back().ok()) code = kExitError;
  }
  if (!options.junit.empty()) {
    if (auto status = WriteFileAtomically(options.junit, JunitPage(results), 0644); !status) {
      std::fprintf(stderr, "%s\n", status.error().message().c_str());
      return kExitError;
    }
  }
  return code;
}

}  // namespace vigia::exporter::cli
