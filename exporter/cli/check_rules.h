// The part of `vigia check` that looks beyond the syntax of rules.

#pragma once

#include <string>
#include <vector>

#include "alerting/rules/lint.h"

namespace vigia::exporter::cli {

// Findings of lint, with the types of all metrics that vigia's collectors know.
std::vector<alerting::rules::Finding> LintRules(
    const std::vector<alerting::rules::GroupDefinition>& groups);

// Selectors that match no series of the last day at `url`, a vigia or a Prometheus: rules that can
// never fire. What the rules themselves record is left out. An error if nobody answers.
Result<std::vector<alerting::rules::Finding>> FindDeadSelectors(
    const std::vector<alerting::rules::GroupDefinition>& groups, const std::string& url);

}  // namespace vigia::exporter::cli
