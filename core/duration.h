// Durations as Prometheus writes them: "1d12h", "90s", "250ms".

#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vigia {

using Milliseconds = std::chrono::milliseconds;

// Units y (365 days), w, d, h, m, s, ms, each at most once and in this order; "0" alone is
// allowed. kInvalid for anything else and for what does not fit 2^63 ns, as in
// prometheus/common model.ParseDuration.
Result<Milliseconds> ParseDuration(std::string_view text);

// The shortest form of the same grammar; whole weeks and years only where nothing is left
// over (model.Duration.String): 90 s is "1m30s", 14 d is "2w", 0 is "0s".
std::string FormatDuration(Milliseconds duration);

}  // namespace vigia
