// The types of Alertmanager's template data: KV (labels and annotations), Pairs, Alerts, and
// their methods.

#pragma once

#include <span>

#include "alerting/templates/function.h"
#include "core/labels.h"

namespace vigia::alerting::templates {

// A KV: a map with SortedPairs, Remove, Names and Values.
Map KeyValues(const Labels& labels);

// Firing and Resolved.
std::span<const Function> AlertsMethods();

}  // namespace vigia::alerting::templates
