// Why an alerting rule fires, waits, is held, or is quiet.

#pragma once

#include <string>
#include <vector>

#include "alerting/explain/expression.h"
#include "alerting/rules/group.h"

namespace vigia::alerting::explain {

struct RuleExplanation {
  std::string verdict;  // one sentence
  rules::AlertState state = rules::AlertState::kInactive;
  Timestamp time = 0;  // of the evaluation that is explained
  // Pending and firing ones that were asked for: the first few, and how many there are.
  std::vector<rules::AlertInstance> active;
  std::size_t active_count = 0;
  Explanation expression;
};

inline constexpr std::size_t kMostActive = 20;

// Whether alerts of the rule can fit `matchers`: by its name and the labels that it sets itself.
bool CanFit(const rules::RuleDefinition& rule, const route::Matchers& matchers);

// `question.about` is what was asked for (a whole alert); `question.time` is used only for a rule
// that has not been evaluated yet, else the time of its last evaluation. Thread-safe.
RuleExplanation ExplainRule(const rules::Group& group, const rules::AlertingRule& rule,
                            Question question, Timestamp now);

// How long `for` still takes at `now`; zero where it is over.
Milliseconds HoldLeft(const rules::RuleDefinition& rule, const rules::AlertInstance& alert,
                      Timestamp now);

}  // namespace vigia::alerting::explain
