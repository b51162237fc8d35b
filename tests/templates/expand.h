// Expands a template text in tests, with the names of rule files.

#pragma once

#include <string>
#include <string_view>

#include "alerting/templates/rule_template.h"

namespace vigia::test {

// Labels instance="db1:9100", job="node" and path="/a b"; value 1234.5; external label site;
// `query` answers the queries "up" (two series) and "none", and fails else.
alerting::templates::RuleData SomeRuleData();

// The text, or "error: " and its message.
std::string Expanded(std::string_view text);

}  // namespace vigia::test
