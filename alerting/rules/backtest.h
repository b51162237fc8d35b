// Evaluates rules over the past: which alerts would have fired, when and for how long.
//
// The rules run as they do in the daemon, tick by tick, on stored samples; what they record is kept
// in memory and seen by later rules. Nothing is stored or sent.

#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "alerting/alert.h"
#include "alerting/rules/rule_file.h"
#include "core/series.h"
#include "query/promql/engine.h"

namespace vigia::alerting::rules {

struct Incident {
  std::string group;
  std::string alert;
  Labels labels;
  Labels annotations;
  Timestamp pending_at = 0;
  Timestamp fired_at = 0;
  Timestamp resolved_at = 0;  // 0: still firing at the end
  double value = 0;           // when it fired
};

struct BacktestOptions {
  Timestamp from = 0;
  Timestamp to = 0;
  // Ticks are the group's interval apart, but at least this: a week in steps of 15 s takes long.
  Milliseconds step{60'000};
  Milliseconds interval{15'000};  // of groups that name none
  Labels external_labels;
  // Gets the alerts as the daemon's routing does; may be null.
  AlertSink* alerts = nullptr;
  // Called before each evaluation with its time, and at last with `to`; may be empty.
  std::function<void(Timestamp)> until = {};
  // Series that were computed for the test, and the names of those that they replace: what is
  // stored under such a name is not seen. May be null and empty.
  const SeriesSource* computed = nullptr;
  std::set<std::string, std::less<>> replaced = {};
};

struct Backtest {
  std::vector<Incident> incidents;  // in the order in which they fired
  std::size_t ticks = 0;
  std::vector<std::string> errors;  // of rules that could not be evaluated, each once
};

// `source` has the samples of [from, to], and those before that the expressions look back to.
Backtest RunBacktest(const std::vector<GroupDefinition>& groups, const SeriesSource& source,
                     const promql::Engine& engine, const BacktestOptions& options);

}  // namespace vigia::alerting::rules
