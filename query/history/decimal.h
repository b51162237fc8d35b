// Numbers that are short decimals (0.25, 1700, 98.6) as integers and a power of ten, exactly: what
// most sources report, and far more regular than the bits of a double.

#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>

namespace vigia::history {

inline constexpr unsigned kMaxExponent = 15;

// Exactly representable, so dividing by one rounds once.
inline constexpr std::array<double, kMaxExponent + 1> kPowers{
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
inline constexpr double kMaxScaled = 9007199254740992.0;  // 2^53

inline double FromDecimal(std::int64_t integer, unsigned exponent) {
  return static_cast<double>(integer) / kPowers[exponent];
}

// `value` * 10^`exponent` if FromDecimal() of it gives back `value`, bit by bit.
inline std::optional<std::int64_t> ToDecimal(double value, unsigned exponent) {
  const double scaled = value * kPowers[exponent];
  if (!(std::abs(scaled) < kMaxScaled)) return std::nullopt;
  const auto integer = static_cast<std::int64_t>(scaled + std::copysign(0.5, scaled));
  const auto same = std::bit_cast<std::uint64_t>(FromDecimal(integer, exponent)) ==
                    std::bit_cast<std::uint64_t>(value);
  return same ? std::optional(integer) : std::nullopt;
}

}  // namespace vigia::history
