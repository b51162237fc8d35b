// `vigia test rules FILE...`: unit tests of rules, in promtool's format.

#pragma once

#include <string>
#include <vector>

namespace vigia::exporter::cli {

struct TestRulesOptions {
  std::vector<std::string> files;
  std::vector<std::string> run;  // regular expressions; only tests whose name one of them fits
  std::string junit;             // where to write the results as JUnit XML
  bool diff = false;
  bool ignore_unknown_fields = false;
};

// Returns the exit code: an error as soon as one test fails.
int TestRules(const TestRulesOptions& options);

}  // namespace vigia::exporter::cli
