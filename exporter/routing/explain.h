// Why an alert fires or does not, and why somebody was told about it, or nobody: the answer of
// /api/vigia/v1/explain.

#pragma once

#include <string>

#include "alerting/route/matcher.h"
#include "exporter/routing/context.h"

namespace vigia::routing {

// JSON about the known alerts that match, ended ones included (the first 50, and how many there
// are), and about the rules that can make such.
std::string Explain(const RoutingContext& context, const alerting::route::Matchers& matchers);

}  // namespace vigia::routing
