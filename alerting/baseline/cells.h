// Cells: a fixed array of a detector's state, indexed by any integer (buckets are computed from
// times with signed arithmetic). Plain data: copied and stored byte by byte.

#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>

namespace vigia::alerting::baseline {

template <typename T, std::size_t N>
struct Cells {
  T cells[N]{};

  constexpr T& operator[](std::int64_t k) {
    assert(k >= 0 && k < static_cast<std::int64_t>(N));
    return cells[k];
  }
  constexpr const T& operator[](std::int64_t k) const {
    assert(k >= 0 && k < static_cast<std::int64_t>(N));
    return cells[k];
  }
  T* begin() { return cells; }
  T* end() { return cells + N; }
  const T* begin() const { return cells; }
  const T* end() const { return cells + N; }
  void Fill(const T& value) { std::fill(begin(), end(), value); }
};

}  // namespace vigia::alerting::baseline
