// Cells: a fixed array of a detector's state, indexed by any integer (buckets are computed from
// times with signed arithmetic). Plain data: copied and stored byte by byte.

#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

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

// Whether all numbers are numbers: a state that was read from elsewhere may hold anything.
inline bool Finite(std::initializer_list<double> numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](double x) { return std::isfinite(x); });
}
template <std::size_t N>
bool Finite(const Cells<float, N>& cells) {
  return std::all_of(cells.begin(), cells.end(), [](float x) { return std::isfinite(x); });
}

}  // namespace vigia::alerting::baseline
