// The rules' half of /api/vigia/v1/explain: why a rule fires, or does not.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "alerting/explain/rule.h"

namespace vigia::exporter {

struct ExplainRules {
  std::vector<std::shared_ptr<const alerting::rules::Group>> groups;
  const SeriesSource& source;
  const promql::Engine& engine;
  Timestamp now = 0;
};

// A JSON array with an object per rule whose alerts can fit `matchers`: the first 10.
std::string RulesExplained(const ExplainRules& rules, const alerting::route::Matchers& matchers);

}  // namespace vigia::exporter
