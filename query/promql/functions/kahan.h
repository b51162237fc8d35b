// Compensated summation (Neumaier's variant of Kahan's), step for step as Prometheus does it, so
// that sums are equal to the last bit.

#pragma once

#include <cmath>

namespace vigia::promql {

struct KahanSum {
  double sum = 0;
  double compensation = 0;

  // Prometheus 2.42 lacks the guard for infinite sums.
  template <bool kGuardInfinity = true>
  void Add(double value) {
    const double next = sum + value;
    if (kGuardInfinity && std::isinf(next)) {
      compensation = 0;
    } else if (std::abs(sum) >= std::abs(value)) {
      compensation += (sum - next) + value;
    } else {
      compensation += (value - next) + sum;
    }
    sum = next;
  }

  double value() const { return sum + compensation; }
};

}  // namespace vigia::promql
