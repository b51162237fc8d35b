// Writing what is in memory into a block.

#include <algorithm>
#include <vector>

#include "query/history/block_writer.h"
#include "query/history/store.h"

namespace vigia::history {
namespace {

// The samples of one series that are being written. The series stays in the index meanwhile:
// only what holds `files` drops series.
struct Sealed {
  Series* series;
  SeriesHead::PackedChunk* chain;
};

// Series that got no sample since the last file was written give up their recent samples, all of
// which are in files.
void ForgetIdle(Store& store) {
  for (const auto& series : store.index.All()) {
    const std::lock_guard lock(store.ShardOf(series->id).mutex);
    if (series->unsealed) continue;
    store.recent_bytes.fetch_sub(series->head.RecentBytes(), std::memory_order_relaxed);
    series->head.ForgetRecent();
  }
}

// Packs all that is unsealed, shard by shard, and puts the arenas aside, so that the chains stay
// as they are while the file is written. Sorted by labels.
std::vector<Sealed> PackAll(Store& store) {
  std::vector<Series*> all;
  for (auto& shard : store.shards) {
    auto next = std::make_unique<Arena>();
    const std::lock_guard lock(shard.mutex);
    if (shard.unsealed.empty()) continue;
    const std::size_t before = shard.arena->bytes();
    for (Series* series : shard.unsealed) {
      series->unsealed = false;
      series->sealing = series->head.PackAll(*shard.arena);
      all.push_back(series);
    }
    store.unsealed.fetch_sub(shard.unsealed.size(), std::memory_order_relaxed);
    store.arena_bytes.fetch_add(shard.arena->bytes() - before, std::memory_order_relaxed);
    shard.unsealed.clear();
    shard.sealing.push_back(std::move(shard.arena));
    shard.arena = std::move(next);
  }
  store.index.Sort(all);
  std::vector<Sealed> packed;
  packed.reserve(all.size());
  for (Series* series : all) packed.push_back({series, series->sealing});
  return packed;
}

// Writes the chains; the ids of the series go to `ids`.
Status WriteBlock(const std::vector<Sealed>& packed, BlockWriter& writer,
                  std::vector<SeriesId>& ids) {
  Columns samples;
  for (const auto& [series, chain] : packed) {
    samples.Clear();
    if (!SeriesHead::ReadChain(chain, samples)) {
      return Fail(ErrorCode::kInternal,
                  "a chunk in memory of " + series->labels.ToString() + " cannot be read");
    }
    if (auto status = writer.Add(series->labels, samples); !status) return status;
    ids.push_back(series->id);
  }
  return Ok();
}

Status WriteFile(Store& store, const std::vector<Sealed>& packed, std::uint32_t segment) {
  const auto path = BlockPath(store.options.folder, store.next_block);
  BlockWriter writer(path);
  std::vector<SeriesId> ids;
  ids.reserve(packed.size());
  if (auto status = WriteBlock(packed, writer, ids); !status) return status;
  if (auto status = writer.Finish(segment); !status) return status;
  auto block = Block::Open(path, store.next_block++, [](const BlockSeries&) {});
  if (!block) return Fail(block.error());
  (*block)->SetSeries(ids);
  for (const auto& [series, chain] : packed) {
    series->files.fetch_add(1, std::memory_order_relaxed);
  }
  store.blocks.Replace({}, {std::move(*block)});
  Add(store.counters.blocks_written);
  return Ok();
}

// The file has the chains now.
void Release(Store& store, const std::vector<Sealed>& packed) {
  for (const auto& [series, chain] : packed) {
    const std::lock_guard lock(store.ShardOf(series->id).mutex);
    series->head.Drop(chain);
  }
  for (auto& shard : store.shards) {
    std::vector<std::unique_ptr<Arena>> unused;
    const std::lock_guard lock(shard.mutex);
    unused.swap(shard.sealing);
    for (const auto& arena : unused) {
      store.arena_bytes.fetch_sub(arena->bytes(), std::memory_order_relaxed);
    }
  }
}

// No file has them: they are sealed another time.
void PutBack(Store& store, const std::vector<Sealed>& packed) {
  for (const auto& [series, chain] : packed) {
    Shard& shard = store.ShardOf(series->id);
    const std::lock_guard lock(shard.mutex);
    if (std::exchange(series->unsealed, true)) continue;
    shard.unsealed.push_back(series);
    store.unsealed.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace

Status Seal(Store& store) {
  ForgetIdle(store);
  // Samples reach the heads before the journal: what the journal has up to here is in the heads.
  const std::uint32_t segment = store.journal->Rotate();
  const auto packed = PackAll(store);
  if (!packed.empty()) {
    if (auto status = WriteFile(store, packed, segment); !status) {
      Add(store.counters.write_errors);
      PutBack(store, packed);
      return status;
    }
    Release(store, packed);
  }
  store.journal->Release(segment);
  return Ok();
}

}  // namespace vigia::history
