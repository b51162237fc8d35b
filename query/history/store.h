// What the parts of the history work on together.
//
// Locks, in the order in which they may be taken: files (whoever writes or deletes blocks), the
// journal's two, the index, one shard, the list of blocks. None is held while a file is read or
// written but `files` and the journal's own.

#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <vector>

#include "core/clock.h"
#include "query/history/block.h"
#include "query/history/head.h"
#include "query/history/journal.h"
#include "query/history/options.h"
#include "query/history/series_index.h"

namespace vigia::history {

// Guards the heads of some of the series. Neighbouring ids share a shard, so that a batch of
// series that were created together takes few locks.
struct Shard {
  static constexpr std::size_t kShards = 64;
  static constexpr std::size_t kNeighbours = 64;

  std::mutex mutex;
  // Guarded by mutex.
  std::unique_ptr<Arena> arena = std::make_unique<Arena>();
  // The series that have samples which no file has. They are never dropped.
  std::vector<Series*> unsealed;
  // What a file is being written from, and what earlier attempts left.
  std::vector<std::unique_ptr<Arena>> sealing;
};

// The blocks in use; a snapshot stays readable while it is held.
class BlockSet {
 public:
  std::shared_ptr<const BlockList> Snapshot() const;
  // Takes blocks out and puts others in, in one step.
  void Replace(const BlockList& out, const BlockList& in);

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const BlockList> blocks_ = std::make_shared<BlockList>();  // guarded by mutex_
};

struct Counters {
  using Count = std::atomic<std::uint64_t>;
  Count appended = 0, out_of_order = 0, duplicate = 0, conflicting = 0, too_old = 0, too_new = 0;
  Count over_series = 0, over_memory = 0, created = 0, dropped = 0;
  Count blocks_written = 0, blocks_merged = 0, blocks_deleted = 0, damaged = 0;
  Count corrupt = 0, torn = 0, replayed = 0, write_errors = 0;
};

inline void Add(Counters::Count& count, std::uint64_t n = 1) {
  if (n != 0) count.fetch_add(n, std::memory_order_relaxed);
}

struct Store {
  Store(Options store_options, const Clock& store_clock)
      : options(std::move(store_options)), clock(store_clock) {}

  static constexpr Timestamp kNever = std::numeric_limits<Timestamp>::min();

  // Constant after construction.
  const Options options;
  const Clock& clock;

  SeriesIndex index;
  std::array<Shard, Shard::kShards> shards;
  BlockSet blocks;
  std::unique_ptr<Journal> journal;  // set by Restore()
  Counters counters;

  std::atomic<Timestamp> newest = kNever;       // of all samples
  std::atomic<Timestamp> horizon = kNever;      // samples before it are beyond retention
  std::atomic<std::uint64_t> unsealed = 0;      // series listed by the shards
  std::atomic<std::uint64_t> recent_bytes = 0;  // of open samples
  std::atomic<std::uint64_t> arena_bytes = 0;   // of packed ones

  std::mutex files;
  // Guarded by files.
  std::uint32_t next_block = 1;

  Shard& ShardOf(SeriesId id) { return shards[id / Shard::kNeighbours % Shard::kShards]; }
  std::uint64_t MemoryBytes() const;
  void Report(std::string_view message, const std::filesystem::path& file,
              const Error& error) const {
    if (options.on_problem) options.on_problem(message, file, error);
  }
  void ReportRecovery(std::string_view message, const std::filesystem::path& file) const {
    if (options.on_recovery) options.on_recovery(message, file);
  }
  void AdvanceNewest(Timestamp time);

  // Whether a reader is likely to come again: then what it had to look for stays at hand.
  enum class Demand { kOnce, kQuery };
  // Appends the samples of a series in [from, to], in order. `held` are blocks to read beside the
  // present ones; may be null.
  void Read(Series& series, TimeRange range, const BlockList* held, Demand demand, Columns& out);
};

// Renames a file to *.corrupt, counts and reports it.
void SetAside(Store& store, const std::filesystem::path& path, const Error& error);

// Makes the store what the files in its folder say. Fails only if the folder cannot be used.
Status Restore(Store& store);

// Writes what is in memory into a block and releases the journal; does nothing if there is
// nothing. Needs `files`, as do the following.
Status Seal(Store& store);

// Deletes blocks beyond retention; returns how many.
std::size_t Retain(Store& store);
// Forgets the series that have no samples.
void DropEmptySeries(Store& store);

// Merges neighbouring blocks into larger ones, and rewrites damaged ones without what is
// unreadable. The damaged files are set aside.
Status Compact(Store& store);

}  // namespace vigia::history
