#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "core/sample.h"

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

// As Go computes it on amd64, where 2^1024 is too large a part of a product whose other part is
// below 1: infinite from 709.44 on, and not from 709.78 on.
double Exponential(double x) {
  return std::nearbyint(x * std::numbers::log2e) >= 1024 ? kInfinity : std::exp(x);
}

// As Go computes it: beyond 21 half of an exponential, which overflows a little earlier.
double HyperbolicSine(double x) {
  return std::abs(x) > 21 ? std::copysign(Exponential(std::abs(x)) * 0.5, x) : std::sinh(x);
}

double HyperbolicCosine(double x) {
  return std::abs(x) > 21 ? Exponential(std::abs(x)) * 0.5 : std::cosh(x);
}

namespace {

constexpr double kPi = std::numbers::pi;

// The arc tangent of x in [0, 0.66], by the rational function of Cephes (atan.c) that Go has.
double SmallArcTangent(double x) {
  double z = x * x;
  z = z *
      ((((-8.750608600031904122785e-01 * z - 1.615753718733365076637e+01) * z -
         7.500855792314704667340e+01) *
            z -
        1.228866684490136173410e+02) *
           z -
       6.485021904942025371773e+01) /
      (((((z + 2.485846490142306297962e+01) * z + 1.650270098316988542046e+02) * z +
         4.328810604912902668951e+02) *
            z +
        4.853903996359136964868e+02) *
           z +
       1.945506571482613964425e+02);
  return x * z + x;
}

// Of any x >= 0.
double PositiveArcTangent(double x) {
  constexpr double kMoreBits = 6.123233995736765886130e-17;  // of pi/2
  constexpr double kTangentOf3PiBy8 = 2.41421356237309504880;
  if (x <= 0.66) return SmallArcTangent(x);
  if (x > kTangentOf3PiBy8) return kPi / 2 - SmallArcTangent(1 / x) + kMoreBits;
  return kPi / 4 + SmallArcTangent((x - 1) / (x + 1)) + 0.5 * kMoreBits;
}

}  // namespace

double ArcTangent(double x) {
  if (x == 0) return x;
  return x > 0 ? PositiveArcTangent(x) : -PositiveArcTangent(-x);
}

double ArcTangent2(double y, double x) {
  // The quotient says nothing of zeros, infinities and NaN.
  if (y == 0 || x == 0 || !std::isfinite(y) || !std::isfinite(x)) return std::atan2(y, x);
  const double angle = ArcTangent(y / x);
  if (x > 0) return angle;
  return angle <= 0 ? angle + kPi : angle - kPi;
}

double ArcSine(double x) {
  if (x == 0) return x;
  const double size = std::abs(x);
  if (!(size <= 1)) return kNaN;
  double angle = std::sqrt(1 - size * size);
  angle =
      size > 0.7 ? kPi / 2 - PositiveArcTangent(angle / size) : PositiveArcTangent(size / angle);
  return x < 0 ? -angle : angle;
}

double ArcCosine(double x) { return kPi / 2 - ArcSine(x); }

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
