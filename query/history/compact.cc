// Merging blocks.

#include <algorithm>
#include <map>
#include <system_error>
#include <vector>

#include "query/history/block_writer.h"
#include "query/history/columns.h"
#include "query/history/store.h"

namespace vigia::history {
namespace {

// A merged block spans so many times what those it was made of span.
constexpr std::int64_t kFanIn = 4;
// And is no larger than this part of the retention, nor than so many bytes.
constexpr std::int64_t kPartOfRetention = 8;
constexpr std::uint64_t kMaxMergedBytes = std::uint64_t{1} << 30;

Timestamp WindowOf(Timestamp time, std::int64_t length) {
  return time / length - (time % length < 0);
}

std::uint64_t TotalBytes(const BlockList& blocks) {
  std::uint64_t bytes = 0;
  for (const auto& block : blocks) bytes += block->bytes();
  return bytes;
}

// A group of blocks to merge; empty if there is none. Only windows of time that are over are
// merged: the newest still grows.
BlockList FindGroup(const Store& store, const BlockList& blocks) {
  const std::int64_t longest =
      std::max<std::int64_t>(store.options.retention.count() / kPartOfRetention,
                             kFanIn * store.options.block_length.count());
  const Timestamp newest = store.newest.load(std::memory_order_relaxed);
  for (std::int64_t length = kFanIn * store.options.block_length.count();
       length <= longest && length > 0; length *= kFanIn) {
    std::map<Timestamp, BlockList> windows;
    for (const auto& block : blocks) {
      // One that a jump of the clock has made too long would keep its neighbours from retention.
      const Timestamp window = WindowOf(block->min_time(), length);
      if (WindowOf(block->max_time(), length) <= window + 1) windows[window].push_back(block);
    }
    for (auto& [window, group] : windows) {
      const bool over = window < WindowOf(newest, length);
      if (over && group.size() > 1 && TotalBytes(group) <= kMaxMergedBytes) return group;
    }
  }
  return {};
}

// All samples of a series in `group`; damaged chunks are left out.
void ReadAll(const BlockList& group, SeriesId id, Columns& out) {
  constexpr auto kFirst = std::numeric_limits<Timestamp>::min();
  constexpr auto kLast = std::numeric_limits<Timestamp>::max();
  for (const auto& block : group) block->Read(id, kFirst, kLast, out);
  SortByTime(out, 0);
}

void Remove(Store& store, const Block& block) {
  if (block.damaged() > 0) {
    Add(store.counters.damaged, block.damaged());
    SetAside(store, block.path(),
             Error(ErrorCode::kCorrupt, std::to_string(block.damaged()) + " damaged chunks"));
    return;
  }
  std::error_code ignored;
  std::filesystem::remove(block.path(), ignored);
}

// Puts one block in the place of `group`.
Status Merge(Store& store, const BlockList& group) {
  std::uint32_t segment = 0;
  for (const auto& block : group) segment = std::max(segment, block->journal_segment());
  const std::uint32_t number = store.next_block;
  BlockWriter writer(BlockPath(store.options.folder, number));
  std::vector<SeriesPointer> before;
  std::vector<std::uint32_t> files;
  std::vector<SeriesId> ids;
  std::vector<SeriesPointer> kept;
  Columns samples;
  for (const auto& series : store.index.All()) {
    const auto files_of = std::count_if(group.begin(), group.end(),
                                        [&](const auto& block) { return block->Has(series->id); });
    if (files_of == 0) continue;
    before.push_back(series);
    files.push_back(static_cast<std::uint32_t>(files_of));
    samples.Clear();
    ReadAll(group, series->id, samples);
    if (samples.size() == 0) continue;
    if (auto status = writer.Add(series->labels, samples); !status) return status;
    ids.push_back(series->id);
    kept.push_back(series);
  }
  BlockList merged;
  if (!ids.empty()) {
    if (auto status = writer.Finish(segment); !status) return status;
    auto block =
        Block::Open(BlockPath(store.options.folder, number), number, [](const BlockSeries&) {});
    if (!block) return Fail(block.error());
    ++store.next_block;
    (*block)->SetSeries(ids);
    merged.push_back(std::move(*block));
  }
  for (const auto& series : kept) series->files.fetch_add(1, std::memory_order_relaxed);
  for (std::size_t i = 0; i < before.size(); ++i) {
    before[i]->files.fetch_sub(files[i], std::memory_order_relaxed);
  }
  store.blocks.Replace(group, merged);
  for (const auto& block : group) Remove(store, *block);
  Add(store.counters.blocks_merged, group.size());
  return Ok();
}

}  // namespace

Status Compact(Store& store) {
  const auto blocks = store.blocks.Snapshot();
  for (const auto& block : *blocks) {
    if (block->damaged() == 0) continue;
    if (auto status = Merge(store, {block}); !status) return status;
  }
  while (true) {
    const auto group = FindGroup(store, *store.blocks.Snapshot());
    if (group.empty()) return Ok();
    if (auto status = Merge(store, group); !status) return status;
  }
}

}  // namespace vigia::history
