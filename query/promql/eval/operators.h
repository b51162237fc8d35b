// Arithmetic and comparison of two samples.

#pragma once

#include <cmath>

#include "query/promql/eval/vector.h"
#include "query/promql/functions/implementations.h"
#include "query/promql/syntax/token.h"

namespace vigia::promql {

// Calls f with a callable (double left, double right) -> double for an arithmetic operator, or
// -> bool for a comparison: chosen once, so that loops over samples are free of branches.
template <typename F>
decltype(auto) WithOperator(Token op, F&& f) {
  switch (op) {
    case Token::kAdd:
      return f([](double a, double b) { return a + b; });
    case Token::kSub:
      return f([](double a, double b) { return a - b; });
    case Token::kMul:
      return f([](double a, double b) { return a * b; });
    case Token::kDiv:
      return f([](double a, double b) { return a / b; });
    case Token::kMod:
      return f([](double a, double b) { return std::fmod(a, b); });
    case Token::kPow:
      return f([](double a, double b) { return std::pow(a, b); });
    case Token::kAtan2:
      return f([](double a, double b) { return ArcTangent2(a, b); });
    case Token::kEqlc:
      return f([](double a, double b) { return a == b; });
    case Token::kNeq:
      return f([](double a, double b) { return a != b; });
    case Token::kLte:
      return f([](double a, double b) { return a <= b; });
    case Token::kLss:
      return f([](double a, double b) { return a < b; });
    case Token::kGte:
      return f([](double a, double b) { return a >= b; });
    default:
      return f([](double a, double b) { return a > b; });
  }
}

// Whether the result is of another kind than the operands, so that their name no longer fits.
// In Prometheus 2.42 atan2 was forgotten.
constexpr bool DropsName(Token op, bool return_bool, bool is2) {
  return return_bool || (!IsComparison(op) && !(is2 && op == Token::kAtan2));
}

// The sample that `left op right` leaves: a comparison leaves `kept` or nothing, or 1 and 0 with
// bool.
template <typename Op>
double Apply(Op op, double left, double right, double kept, bool return_bool) {
  if constexpr (std::is_same_v<decltype(op(left, right)), bool>) {
    if (return_bool) return op(left, right) ? 1 : 0;
    return op(left, right) ? kept : Absent();
  } else {
    return op(left, right);
  }
}

}  // namespace vigia::promql
