// Aggregations over vectors, whole columns at a time.

#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "query/promql/error.h"
#include "query/promql/eval/context.h"
#include "query/promql/eval/operand.h"
#include "query/promql/eval/rows.h"
#include "query/promql/eval/vector.h"
#include "query/promql/syntax/ast.h"

namespace vigia::promql {

// Which group each row of a vector belongs to, and what the groups are called.
struct Groups {
  std::vector<std::uint32_t> of_row;
  std::vector<Labels> labels;

  std::size_t count() const { return labels.size(); }
};
Groups GroupRows(const Vector& vector, const std::vector<std::string>& names, bool without);

// sum, avg, min, max, count, group, stddev, stdvar: a state per group and step, into which rows
// are folded one by one.
class Folding : public RowSink {
 public:
  // What came out; once, after the last row.
  virtual Vector Finish() = 0;
};
std::unique_ptr<Folding> MakeFolding(const Aggregate& aggregate, Context& context,
                                     std::size_t steps);

Vector AggregateQuantile(const Vector& vector, const Groups& groups, const ScalarColumn& quantiles);
// topk, bottomk, limitk, limit_ratio: some of the vector's own series.
QueryResult<Vector> AggregateSelection(const Aggregate& aggregate, Vector vector,
                                       const Groups& groups, const ScalarColumn& parameter,
                                       Context& context);
QueryResult<Vector> AggregateCountValues(const Aggregate& aggregate, Vector vector,
                                         Context& context);

}  // namespace vigia::promql
