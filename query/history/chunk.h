// A chunk: samples of one series, compressed without loss.
//
// Times and values are two integer columns (integer_column.h). Values that are short decimal
// numbers, which is what most sources report, become integers by a power of ten; a NaN, an
// infinity or a stale marker among them stands in a list of exceptions. Other values are taken by
// their bits. A chunk does not say how long it is: who stores it does. docs/history-format.md has
// the bytes.

#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/sample.h"
#include "core/series.h"

namespace vigia::history {

// More samples go into several chunks.
inline constexpr std::size_t kMaxChunkSamples = 512;

// Appends a chunk of 1 to kMaxChunkSamples samples, times strictly ascending. `origin` makes times
// shorter that lie near it; it has to be given again to read them.
void EncodeChunk(std::span<const Timestamp> times, std::span<const double> values, Timestamp origin,
                 std::string& out);

// Appends the samples of a chunk to `out`; false, and `out` is as it was, if the bytes are not a
// chunk or its times do not ascend. Accepts any bytes.
bool DecodeChunk(std::string_view chunk, Timestamp origin, Columns& out);

}  // namespace vigia::history
