// absent() and absent_over_time().

#include <algorithm>
#include <set>
#include <vector>

#include "query/promql/eval/evaluator.h"
#include "query/promql/functions/implementations.h"

namespace vigia::promql {
namespace {

// What the expression's matchers say that the absent series would have been called: labels that
// one equality and nothing else speaks of.
Labels LabelsOfAbsent(const Expr& expr) {
  const Expr& inner = Unwrap(expr);
  const VectorSelector* selector = nullptr;
  if (inner.kind == NodeKind::kVectorSelector) {
    selector = static_cast<const VectorSelector*>(&inner);
  } else if (inner.kind == NodeKind::kMatrixSelector) {
    selector = static_cast<const MatrixSelector&>(inner).selector.get();
  } else {
    return {};
  }
  LabelsBuilder builder;
  std::set<std::string_view> seen;
  for (const auto& matcher : selector->matchers) {
    if (matcher.name == kMetricName) continue;
    if (matcher.op == Matcher::Op::kEqual && seen.insert(matcher.name).second) {
      builder.Set(matcher.name, matcher.value);
    } else {
      builder.Remove(matcher.name);
    }
  }
  return builder.Build();
}

Operand OnesWhereNothing(const Vector& vector, const Expr& arg, const Steps& steps) {
  std::vector<double> ones(steps.count, 1.0);
  for (std::size_t row = 0; row < vector.rows(); ++row) {
    const auto values = vector.Row(row);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (IsPresent(values[i])) ones[i] = Absent();
    }
  }
  Vector out(steps.count);
  if (std::none_of(ones.begin(), ones.end(), IsPresent)) return out;
  out.labels.push_back(LabelsOfAbsent(arg));
  out.values = std::move(ones);
  return out;
}

}  // namespace

CallResult AbsentVector(Evaluator& evaluator, const Call& call, const Steps& steps) {
  const auto vector = evaluator.EvalVector(*call.args[0], steps);
  if (!vector) return Fail(vector.error());
  return OnesWhereNothing(*vector, *call.args[0], steps);
}

CallResult AbsentOverTime(Evaluator& evaluator, const Call& call, const Steps& steps) {
  const auto present = evaluator.EvalWindowsWith(PresentOverTime, call, steps);
  if (!present) return Fail(present.error());
  return OnesWhereNothing(*present, *call.args[0], steps);
}

}  // namespace vigia::promql
