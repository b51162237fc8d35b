// The subqueries around an expression, as far as they bear upon what its selectors look at.

#pragma once

#include <cstdint>
#include <optional>

#include "core/sample.h"
#include "query/promql/eval/steps.h"
#include "query/promql/syntax/ast.h"

namespace vigia::promql {

struct QueryTimes {
  Timestamp start = 0;
  Timestamp end = 0;  // as it was given: the last step may lie before it
};

// The time that @ names. It has to be there.
Timestamp TimeNamed(const TimeShift& shift, const QueryTimes& query);

struct Scope {
  // Of all subqueries around, or of the innermost with @ and those within.
  std::int64_t offset = 0;
  std::int64_t window = 0;
  std::optional<Timestamp> at;  // of that innermost one

  // What is added to the times that @ names.
  //
  // Prometheus keeps @ as an offset from where the evaluation starts, less the offsets of the
  // subqueries around, and counts it anew within a subquery, but not within one that starts just
  // where what is around it does, as with (x @ 10)[5m:] offset -5m: there those offsets stay
  // (setOffsetForAtModifier in promql/engine.go).
  std::int64_t at_drift = 0;

  // Within a subquery that is evaluated at `outer`, and what is in it from `inner_start` on.
  Scope Within(const Subquery& subquery, const Steps& outer, Timestamp inner_start,
               const QueryTimes& query) const;

  // The samples that Prometheus asks of its storage for a selector: whatever time it comes to look
  // at then, it sees no others (getTimeRangesForSelector). `reach` is how far back from a step they
  // count.
  TimeRange Stored(const TimeShift& shift, std::int64_t reach, const QueryTimes& query) const;
};

}  // namespace vigia::promql
