// What readers of several sources of one series share.

#pragma once

#include <cstddef>

#include "core/series.h"

namespace vigia::history {

// Removes the samples from `start` on that are not in [from, to].
void Trim(Columns& columns, std::size_t start, Timestamp from, Timestamp to);

// Brings the samples from `start` on in order of time. Of several at one time the first in
// `columns` stays.
void SortByTime(Columns& columns, std::size_t start);

}  // namespace vigia::history
