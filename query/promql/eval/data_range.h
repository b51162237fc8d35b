// Which times a query's selectors speak of.

#pragma once

#include "core/sample.h"
#include "query/promql/eval/steps.h"
#include "query/promql/syntax/ast.h"

namespace vigia::promql {

// From where to where a query asks; its last step may lie before `end`.
struct QueryRange {
  Timestamp start = 0;
  Timestamp end = 0;
};

// The latest time that any selector looks at. Prometheus opens its storage up to there, which
// shows where 2.42 slides a window beyond its @: predict_linear(x[5m] @ 100, 60) over a range.
Timestamp NewestDataTime(const Expr& expr, const QueryRange& query);

}  // namespace vigia::promql
