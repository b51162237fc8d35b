#include "query/promql/eval/evaluator.h"

#include <algorithm>
#include <utility>

#include "query/promql/functions/function.h"

namespace vigia::promql {

std::size_t Operand::CountSamples() const {
  if (const auto* vector = std::get_if<Vector>(&value)) return vector->CountPresent();
  if (const auto* scalar = std::get_if<ScalarColumn>(&value)) return scalar->size();
  std::size_t count = 0;
  if (const auto* series = std::get_if<RangeVector>(&value)) {
    for (const auto& one : *series) count += one.samples.size();
  }
  return count;
}

QueryResult<Operand> Evaluator::Eval(const Expr& expr, const Steps& steps) {
  if (auto status = context_.Check(); !status) return Fail(status.error());
  const std::size_t held = context_.held();
  auto* const slot = context_.shared ? FindShared(expr, steps) : nullptr;
  auto result = slot                                    ? EvalShared(*slot, expr, steps)
                : expr.evaluate_once && steps.count > 1 ? EvalOnce(expr, steps)
                                                        : Dispatch(expr, steps);
  if (!result) return result;
  // What the result was made from is gone.
  if (auto status = context_.Hold(held + result->CountSamples()); !status) {
    return Fail(status.error());
  }
  return result;
}

QueryResult<Vector> Evaluator::EvalVector(const Expr& expr, const Steps& steps) {
  auto result = Eval(expr, steps);
  if (!result) return Fail(result.error());
  return std::move(result->vector());
}

QueryResult<ScalarColumn> Evaluator::EvalScalar(const Expr& expr, const Steps& steps) {
  auto result = Eval(expr, steps);
  if (!result) return Fail(result.error());
  return std::move(result->scalar());
}

QueryResult<Operand> Evaluator::Dispatch(const Expr& expr, const Steps& steps) {
  switch (expr.kind) {
    case NodeKind::kNumber:
      return ScalarColumn(steps.count, static_cast<const NumberLiteral&>(expr).value);
    case NodeKind::kString:
      return static_cast<const StringLiteral&>(expr).value;
    case NodeKind::kVectorSelector: {
      auto vector = EvalSelector(static_cast<const VectorSelector&>(expr), steps, false);
      if (!vector) return Fail(vector.error());
      return std::move(*vector);
    }
    case NodeKind::kMatrixSelector:
      return EvalRangeVector(static_cast<const MatrixSelector&>(expr), steps);
    case NodeKind::kSubquery:
      return EvalSubqueryAlone(static_cast<const Subquery&>(expr), steps);
    case NodeKind::kUnary:
      return EvalUnary(static_cast<const Unary&>(expr), steps);
    case NodeKind::kBinary:
      return EvalBinary(static_cast<const Binary&>(expr), steps);
    case NodeKind::kParen:
      return Eval(*static_cast<const Paren&>(expr).expr, steps);
    case NodeKind::kAggregate:
      return EvalAggregate(static_cast<const Aggregate&>(expr), steps);
    case NodeKind::kCall:
      return EvalCall(static_cast<const Call&>(expr), steps);
  }
  return Fail(QueryError{QueryError::Kind::kInternal, "unknown kind of expression"});
}

// Below a subquery the steps are others.
Shared::Slot* Evaluator::FindShared(const Expr& expr, const Steps& steps) const {
  return steps == context_.query ? context_.shared->Find(expr) : nullptr;
}

// Takes the result of another query at the same instant, or leaves it for those to come.
QueryResult<Operand> Evaluator::EvalShared(Shared::Slot& slot, const Expr& expr,
                                           const Steps& steps) {
  if (slot.left > 0) {
    context_.CountRead(slot.read);
    return --slot.left > 0 ? slot.result : std::exchange(slot.result, Vector());
  }
  const std::size_t read = context_.read();
  auto result = Dispatch(expr, steps);
  if (!result) return result;
  slot.result = result->vector();
  slot.read = context_.read() - read;
  slot.left = slot.uses - 1;
  return result;
}

// The same at all steps: computed at the first, repeated for the others.
QueryResult<Operand> Evaluator::EvalOnce(const Expr& expr, const Steps& steps) {
  auto result = Dispatch(expr, steps.First());
  if (!result) return result;
  if (result->is_scalar()) return ScalarColumn(steps.count, result->scalar()[0]);
  if (!result->is_vector()) return result;
  Vector& once = result->vector();
  if (auto status = context_.CheckSize(once.rows(), steps.count); !status) {
    return Fail(status.error());
  }
  Vector repeated(steps.count);
  repeated.name_dropped = once.name_dropped;
  repeated.unique_without_name = once.unique_without_name;
  repeated.values.reserve(once.rows() * steps.count);
  for (const double value : once.values) {
    repeated.values.insert(repeated.values.end(), steps.count, value);
  }
  repeated.labels = std::move(once.labels);
  return repeated;
}

QueryResult<Operand> Evaluator::EvalUnary(const Unary& unary, const Steps& steps) {
  auto result = Eval(*unary.expr, steps);
  if (!result || unary.op != Token::kSub) return result;
  if (result->is_scalar()) {
    for (double& value : result->scalar()) value = -value;
    return result;
  }
  Vector& vector = result->vector();
  for (double& value : vector.values) {
    if (IsPresent(value)) value = -value;
  }
  vector.name_dropped = true;
  if (auto status = MergeEqualRows(vector, context_.is2()); !status) return Fail(status.error());
  return result;
}

QueryResult<Operand> Evaluator::EvalMath(const Call& call, const Steps& steps) {
  auto vector = EvalVector(*call.args[0], steps);
  if (!vector) return Fail(vector.error());
  const auto function = std::get<MathFunction>(call.function.implementation);
  for (double& value : vector->values) {
    if (IsPresent(value)) value = function(value);
  }
  vector->name_dropped = true;
  if (auto status = MergeEqualRows(*vector); !status) return Fail(status.error());
  return std::move(*vector);
}

QueryResult<Operand> Evaluator::EvalCall(const Call& call, const Steps& steps) {
  const auto& implementation = call.function.implementation;
  if (std::holds_alternative<MathFunction>(implementation)) return EvalMath(call, steps);
  if (const auto* special = std::get_if<SpecialFunction>(&implementation)) {
    return (*special)(*this, call, steps);
  }
  auto vector = EvalWindows(call, steps);
  if (!vector) return Fail(vector.error());
  return std::move(*vector);
}

}  // namespace vigia::promql
