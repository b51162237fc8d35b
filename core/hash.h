// A fast hash of bytes, for tables in memory. Never store one: seeds and algorithm may change.

#pragma once

#include <cstdint>
#include <string_view>

namespace vigia {

std::uint64_t HashBytes(std::string_view bytes);

// For unordered containers keyed by string that are searched by string_view.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return HashBytes(text); }
};

}  // namespace vigia
