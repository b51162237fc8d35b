// The part of the daemon that evaluates rules: alerting/rules on the history, its state in the
// state file, alerts to whoever notifies.

#pragma once

#include <span>

#include "core/metric.h"

namespace vigia::exporter {

// What the component reports of itself, for `vigia metrics`.
std::span<const Metric> RuleMetrics();

}  // namespace vigia::exporter
