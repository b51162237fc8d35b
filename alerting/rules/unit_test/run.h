// Runs unit tests of rules: the groups are evaluated from the start at every evaluation interval on
// the series of the test, in memory, and alerts and expressions are compared with what is expected.

#pragma once

#include <string>
#include <vector>

#include "alerting/rules/rule_file.h"
#include "alerting/rules/unit_test/file.h"

namespace vigia::alerting::rules {

struct UnitTestOptions {
  bool diff = false;  // failures show what is missing (-) and what is too much (+)
};

// What went wrong, one text per case that failed; empty if the test passed.
std::vector<std::string> RunUnitTest(const UnitTestFile& file, const UnitTest& test,
                                     const std::vector<GroupDefinition>& groups,
                                     const UnitTestOptions& options);

}  // namespace vigia::alerting::rules
