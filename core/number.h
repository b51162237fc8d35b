// Numbers as text, exactly: what is written reads back the same.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vigia {

// Reads a whole string as a number; kInvalid otherwise ("1x", "", " 1"). ParseDouble
// accepts what Prometheus accepts: decimal and hexadecimal floats, and "NaN", "Inf",
// "+Inf", "-Inf" in any case. Too small a number is zero, too large a one is a fault, as for Go's
// strconv.ParseFloat.
Result<double> ParseDouble(std::string_view text);
Result<std::int64_t> ParseInt(std::string_view text);
Result<std::uint64_t> ParseUint(std::string_view text);

// Room that WriteDouble needs at most.
inline constexpr std::size_t kMaxDoubleChars = 32;

// Writes the shortest text that reads back as `value` ("+Inf", "-Inf", "NaN" for the
// special ones; integers up to 2^53 without exponent) and returns its end. `out` has
// room for kMaxDoubleChars; no terminator is written.
char* WriteDouble(char* out, double value);

void AppendDouble(std::string& out, double value);
std::string FormatDouble(double value);

}  // namespace vigia
