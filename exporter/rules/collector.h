// What rules and their state file report of themselves: vigia_rule_*, vigia_alerts, vigia_state_*.

#pragma once

#include <memory>

#include "alerting/rules/runner.h"
#include "alerting/rules/store.h"
#include "alerting/state/journal.h"
#include "collectors/collector.h"

namespace vigia::exporter {

// All arguments outlive the collector.
std::unique_ptr<collectors::Collector> MakeRuleCollector(const alerting::rules::Runner& runner,
                                                         const alerting::rules::AlertStore& store,
                                                         const alerting::state::Database& database,
                                                         const alerting::state::Journal& journal);

}  // namespace vigia::exporter
