// A series: its labels, and what is known of its samples.

#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <utility>

#include "core/labels.h"
#include "core/sample.h"
#include "query/history/head.h"
#include "query/history/postings.h"
#include "query/history/previous_value.h"

namespace vigia::history {

struct Series {
  Series(SeriesId series_id, Labels series_labels)
      : labels(std::move(series_labels)), id(series_id) {}

  // Constant after construction. Ids are never used twice in one run of the process.
  const Labels labels;
  const SeriesId id;

  // Guarded by the index: the place among all series in the order of labels.
  static constexpr std::uint32_t kUnranked = ~std::uint32_t{0};
  std::uint32_t rank = kUnranked;

  // Written under the shard's mutex, read anywhere.
  std::atomic<bool> dropped = false;  // no longer in the index: it takes no samples
  // Of all samples that were ever stored.
  std::atomic<Timestamp> first_time = std::numeric_limits<Timestamp>::max();
  std::atomic<Timestamp> last_time = std::numeric_limits<Timestamp>::min();
  // How many of the present files have samples of it.
  std::atomic<std::uint32_t> files = 0;

  // Guarded by the shard's mutex.
  SeriesHead head;
  SeriesHead::PackedChunk* sealing = nullptr;  // while a file is written
  bool unsealed = false;  // it has samples that no file has: the shard lists it

  // Guarded by the journal's mutex: with which of its segments and restarts the value began.
  std::uint32_t journal_generation = 0;
  PreviousValue journal_value;

  // Widens first_time and last_time.
  void Cover(Timestamp first, Timestamp last) {
    if (first < first_time.load(std::memory_order_relaxed)) {
      first_time.store(first, std::memory_order_relaxed);
    }
    if (last > last_time.load(std::memory_order_relaxed)) {
      last_time.store(last, std::memory_order_relaxed);
    }
  }
};

}  // namespace vigia::history
