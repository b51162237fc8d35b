// Runs scripts in the test language of Prometheus (promqltest): load series, evaluate queries,
// compare.
//
// An instant query is evaluated three ways, as upstream does: by itself, as the middle of a
// range, and with @ at other times. What needs native histograms is skipped and counted.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "query/promql/syntax/options.h"

namespace vigia::promql::test {

struct ScriptReport {
  int passed = 0;
  int failed = 0;
  int skipped = 0;
  std::vector<std::string> failures;  // "name:line: query: what is wrong"
};

ScriptReport RunScript(std::string_view name, std::string_view text, Semantics semantics);

}  // namespace vigia::promql::test
