// Binary operators with a scalar on at least one side; those of two vectors are in join.cc.

#include "query/promql/eval/evaluator.h"
#include "query/promql/eval/join.h"
#include "query/promql/eval/operators.h"

namespace vigia::promql {
namespace {

ScalarColumn OfScalars(const Binary& binary, ScalarColumn left, const ScalarColumn& right) {
  WithOperator(binary.op, [&](auto op) {
    for (std::size_t i = 0; i < left.size(); ++i) {
      left[i] = Apply(op, left[i], right[i], left[i], true);
    }
  });
  return left;
}

// The vector's samples are what a comparison keeps, whichever side it stands on.
QueryResult<Operand> OfVectorAndScalar(const Binary& binary, Vector vector,
                                       const ScalarColumn& scalar, bool scalar_left, bool is2) {
  WithOperator(binary.op, [&](auto op) {
    for (std::size_t row = 0; row < vector.rows(); ++row) {
      const auto values = vector.Row(row);
      for (std::size_t i = 0; i < values.size(); ++i) {
        const double value = values[i];
        if (IsAbsent(value)) continue;
        values[i] = scalar_left ? Apply(op, scalar[i], value, value, binary.return_bool)
                                : Apply(op, value, scalar[i], value, binary.return_bool);
      }
    }
  });
  if (DropsName(binary.op, binary.return_bool, is2)) {
    vector.name_dropped = true;
    if (auto status = MergeEqualRows(vector); !status) return Fail(status.error());
  }
  return vector;
}

}  // namespace

QueryResult<Operand> Evaluator::EvalBinary(const Binary& binary, const Steps& steps) {
  auto left = Eval(*binary.left, steps);
  if (!left) return left;
  auto right = Eval(*binary.right, steps);
  if (!right) return right;
  if (left->is_scalar() && right->is_scalar()) {
    return OfScalars(binary, std::move(left->scalar()), right->scalar());
  }
  if (right->is_scalar()) {
    return OfVectorAndScalar(binary, std::move(left->vector()), right->scalar(), false,
                             context_.is2());
  }
  if (left->is_scalar()) {
    return OfVectorAndScalar(binary, std::move(right->vector()), left->scalar(), true,
                             context_.is2());
  }
  auto joined = IsSetOperator(binary.op)
                    ? CombineSets(binary, std::move(left->vector()), right->vector())
                    : Join(binary, left->vector(), right->vector(), context_);
  if (!joined) return Fail(joined.error());
  return std::move(*joined);
}

}  // namespace vigia::promql
