// Columns of 64-bit integers, packed: the part that times and values of a chunk have in common.
//
// The integers are replaced by themselves, their differences or the differences of those,
// whichever packs best; of these the smallest is taken away and a common divisor taken out, and
// what remains is written with one bit width, but for a few large ones ("patches") that get
// their high bits in a list behind. A regular series of times so takes no bits per sample, a
// noisy counter about the entropy of its increments. docs/history-format.md has the bytes.

#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "query/history/bytes.h"

namespace vigia::history {

inline constexpr std::size_t kMaxColumn = 1024;

// Appends 1 to kMaxColumn integers, of any values.
void EncodeIntegers(std::span<const std::int64_t> integers, std::string& out);

// Reads as many integers as `out` has room for (1 to kMaxColumn); false if the bytes are not
// a column. Whatever the bytes, nothing outside of `in` and `out` is touched.
bool DecodeIntegers(ByteReader& in, std::span<std::int64_t> out);

}  // namespace vigia::history
