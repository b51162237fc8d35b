// What the journal writes a series' next value against.

#pragma once

#include <cstdint>

namespace vigia::history {

struct PreviousValue {
  std::uint64_t bits = 0;
  // The writer's memory of which exponent fitted, or for how long not to look for one.
  std::uint8_t hint = 0;
};

}  // namespace vigia::history
