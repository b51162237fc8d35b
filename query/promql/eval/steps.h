// The times at which an expression is evaluated.

#pragma once

#include <cstddef>
#include <cstdint>

#include "core/sample.h"

namespace vigia::promql {

// Further than any sample, but far enough from the bounds of Timestamp for windows and offsets.
inline constexpr Timestamp kFarthest = Timestamp{1} << 60;

struct Steps {
  Timestamp start = 0;
  std::int64_t interval = 1;  // milliseconds, above 0
  std::size_t count = 1;

  Timestamp At(std::size_t i) const { return start + static_cast<std::int64_t>(i) * interval; }
  Timestamp last() const { return At(count - 1); }
  // Only the first.
  Steps First() const { return {start, interval, 1}; }

  friend bool operator==(const Steps&, const Steps&) = default;
};

}  // namespace vigia::promql
