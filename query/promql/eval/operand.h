// What an expression is worth at every step: the evaluator's own values.

#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "query/promql/eval/vector.h"
#include "query/promql/value.h"

namespace vigia::promql {

using ScalarColumn = std::vector<double>;         // one value per step, never absent
using RangeVector = std::vector<Matrix::Series>;  // at one step only

struct Operand {
  Operand() = default;
  // Implicit: evaluators return their results.
  Operand(ScalarColumn scalar) : value(std::move(scalar)) {}
  Operand(Vector vector) : value(std::move(vector)) {}
  Operand(RangeVector series) : value(std::move(series)) {}
  Operand(std::string text) : value(std::move(text)) {}

  Vector& vector() { return std::get<Vector>(value); }
  ScalarColumn& scalar() { return std::get<ScalarColumn>(value); }
  bool is_vector() const { return std::holds_alternative<Vector>(value); }
  bool is_scalar() const { return std::holds_alternative<ScalarColumn>(value); }
  // Samples held in memory.
  std::size_t CountSamples() const;

  std::variant<ScalarColumn, Vector, RangeVector, std::string> value;
};

}  // namespace vigia::promql
