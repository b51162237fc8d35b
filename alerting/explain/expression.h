// Why an expression has the result that it has at one instant: walks its tree, evaluates the parts
// and looks which selector is empty, which comparison false, which matching without partners.
//
// Bounded: at most kMostFindings parts and a few series of each are told, and after `timeout` what
// is left out of account is said (Explanation::complete). It recurses as deeply as the expression
// nests. Thread-safe.

#pragma once

#include "alerting/explain/finding.h"
#include "alerting/route/matcher.h"
#include "core/series.h"
#include "query/promql/engine.h"

namespace vigia::alerting::explain {

inline constexpr std::size_t kMostFindings = 40;
// Series shown of a part.
inline constexpr std::size_t kMostSeries = 3;

struct Question {
  const SeriesSource& source;
  const promql::Engine& engine;
  Timestamp time = 0;
  // Only series that fit count; a label that a series does not have fits.
  route::Matchers about = {};
  Milliseconds timeout{5'000};
};

// Whether `labels` fit all of `about` whose label they have.
bool Concerns(const route::Matchers& about, const Labels& labels);

Explanation ExplainExpression(const Question& question, const promql::Expr& root);

}  // namespace vigia::alerting::explain
