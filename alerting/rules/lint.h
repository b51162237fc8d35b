// What is well-formed in a rule file and yet wrong: the mistakes that people make most.
//
//  - rate(), increase() of a gauge; deriv(), delta() of a counter
//  - a window shorter than two collection intervals, in which rate() finds no two samples
//  - a label in a template that the expression has aggregated away
//  - an alert without a condition, which fires as long as its series exist
//  - the same rule twice, or one series recorded by two expressions
//  - `for` shorter than the interval of evaluation
//  - a regular expression that is a plain word

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "alerting/rules/rule_file.h"
#include "core/metric.h"

namespace vigia::alerting::rules {

struct LintOptions {
  Milliseconds interval{15'000};             // of groups that name none
  Milliseconds collection_interval{15'000};  // between two samples
  // The type of a metric, kUnknown where nobody knows.
  std::function<MetricType(std::string_view name)> type_of = {};
};

struct Finding {
  std::string file;
  config::Position position;
  std::string text;

  // file:line:column: text
  std::string ToString() const;
};

// In the order of files and lines.
std::vector<Finding> Lint(const std::vector<GroupDefinition>& groups, const LintOptions& options);

}  // namespace vigia::alerting::rules
