// Which samples of two vectors belong together, by the labels that `on` and `ignoring` name.

#pragma once

#include <string>
#include <vector>

#include "query/promql/syntax/ast.h"
#include "query/promql/value.h"

namespace vigia::alerting::explain {

struct Pair {
  const promql::InstantSample* left;
  const promql::InstantSample* right;
};

// All pairs, in the order of `left`.
std::vector<Pair> PairsOf(const promql::InstantVector& left, const promql::InstantVector& right,
                          const promql::VectorMatching& matching);

// In which labels the two series that come nearest to a pair differ: `job is "a" on the left and
// missing on the right`. Both sides have series.
std::string NearestMiss(const promql::InstantVector& left, const promql::InstantVector& right,
                        const promql::VectorMatching& matching);

}  // namespace vigia::alerting::explain
