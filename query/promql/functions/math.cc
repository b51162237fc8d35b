#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "query/promql/functions/implementations.h"

namespace vigia::promql {

// As Go computes it: exact for powers of two.
double Log2(double value) {
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);
  if (!std::isfinite(value) || value <= 0) return std::log2(value);
  if (fraction == 0.5) return exponent - 1;
  return std::log(fraction) * (1 / std::numbers::ln2) + exponent;
}

// As Go computes it: log10(1000) is a bit below 3.
double Log10(double value) { return std::log(value) * (1 / std::numbers::ln10); }

// Go's assembly for amd64 takes subnormal numbers for normal ones of the least exponent.
double NaturalLog2(double value) {
  if (std::fpclassify(value) != FP_SUBNORMAL || value < 0) return std::log(value);
  constexpr std::uint64_t kHalf = 0x3fe0000000000000;
  const double fraction = std::bit_cast<double>(std::bit_cast<std::uint64_t>(value) | kHalf);
  return std::log(fraction) - 1022 * std::numbers::ln2;
}

double DecimalLog2(double value) { return NaturalLog2(value) * (1 / std::numbers::ln10); }

double Sign(double value) { return value < 0 ? -1 : value > 0 ? 1 : value; }

double Degrees(double radians) { return radians * 180 / std::numbers::pi; }
double Radians(double degrees) { return degrees * std::numbers::pi / 180; }

}  // namespace vigia::promql
