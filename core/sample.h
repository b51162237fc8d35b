// A sample is one value at one instant; a stale marker is a sample that says
// there is no value from here on.

#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace vigia {

// Milliseconds since the Unix epoch, the resolution of Prometheus.
using Timestamp = std::int64_t;

struct Sample {
  Timestamp time = 0;
  double value = 0;
};

// The two ways in which a series has no value, as NaNs told apart by their bits
// (x86-64 keeps them through loads and stores; arithmetic does not):
//  - gone: the source answered and no longer lists the series. Prometheus' own
//    marker (model/value/value.go), understood by all that read its data.
//  - unknown: the source did not answer. Never resolves an alert. Sent to others
//    as gone.
inline constexpr std::uint64_t kGoneBits = 0x7ff0000000000002;
inline constexpr std::uint64_t kUnknownBits = 0x7ff0000000000003;

inline double GoneMarker() { return std::bit_cast<double>(kGoneBits); }
inline double UnknownMarker() { return std::bit_cast<double>(kUnknownBits); }

inline bool IsGone(double value) { return std::bit_cast<std::uint64_t>(value) == kGoneBits; }
inline bool IsUnknown(double value) { return std::bit_cast<std::uint64_t>(value) == kUnknownBits; }
inline bool IsStale(double value) { return IsGone(value) || IsUnknown(value); }

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace vigia
