#include <cmath>
#include <numbers>

#include "query/promql/functions/implementations.h"

namespace vigia::promql {

// As Go computes them: exact for powers of two, and log10(1000) a bit below 3.
double Log2(double value) {
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);
  if (!std::isfinite(value) || value <= 0) return std::log2(value);
  if (fraction == 0.5) return exponent - 1;
  return std::log(fraction) * (1 / std::numbers::ln2) + exponent;
}

double Log10(double value) { return Log2(value) * (std::numbers::ln2 / std::numbers::ln10); }

double Sign(double value) { return value < 0 ? -1 : value > 0 ? 1 : value; }

double Degrees(double radians) { return radians * 180 / std::numbers::pi; }
double Radians(double degrees) { return degrees * std::numbers::pi / 180; }

}  // namespace vigia::promql
