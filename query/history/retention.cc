// Deleting what is beyond retention.

#include <algorithm>
#include <system_error>
#include <vector>

#include "query/history/store.h"

namespace vigia::history {
namespace {

// The blocks that have to go: those wholly before the horizon, then the oldest until the rest
// fits the size.
BlockList BeyondRetention(Store& store) {
  const auto blocks = store.blocks.Snapshot();
  const Timestamp horizon = store.horizon.load(std::memory_order_relaxed);
  BlockList beyond;
  BlockList rest;
  std::uint64_t bytes = store.journal->DiskBytes();
  for (const auto& block : *blocks) {
    (block->max_time() < horizon ? beyond : rest).push_back(block);
  }
  for (const auto& block : rest) bytes += block->bytes();
  std::sort(rest.begin(), rest.end(),
            [](const auto& a, const auto& b) { return a->max_time() < b->max_time(); });
  const std::uint64_t limit = store.options.retention_bytes;
  for (std::size_t i = 0; limit != 0 && bytes > limit && i < rest.size(); ++i) {
    bytes -= rest[i]->bytes();
    beyond.push_back(rest[i]);
  }
  return beyond;
}

}  // namespace

std::size_t Retain(Store& store) {
  const auto beyond = BeyondRetention(store);
  if (beyond.empty()) return 0;
  store.blocks.Replace(beyond, {});
  const auto all = store.index.All();
  for (const auto& block : beyond) {
    for (const auto& series : all) {
      if (block->Has(series->id)) series->files.fetch_sub(1, std::memory_order_relaxed);
    }
    std::error_code error;
    std::filesystem::remove(block->path(), error);
    if (error) {
      store.Report("history cannot delete a file", block->path(),
                   SystemError(block->path().string(), error.value()));
    }
    Add(store.counters.blocks_deleted);
  }
  return beyond.size();
}

void DropEmptySeries(Store& store) {
  std::vector<SeriesPointer> empty;
  for (const auto& series : store.index.All()) {
    if (series->files.load(std::memory_order_relaxed) != 0) continue;
    const std::lock_guard lock(store.ShardOf(series->id).mutex);
    auto& head = series->head;
    if (head.HasChunks() || head.HasUnpacked()) continue;
    store.recent_bytes.fetch_sub(head.RecentBytes(), std::memory_order_relaxed);
    head.ForgetRecent();
    series->dropped.store(true, std::memory_order_relaxed);
    empty.push_back(series);
  }
  store.index.Remove(empty);
  Add(store.counters.dropped, empty.size());
}

}  // namespace vigia::history
