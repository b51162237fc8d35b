#include "query/history/store.h"

#include <algorithm>
#include <system_error>

#include "query/history/columns.h"

namespace vigia::history {

std::shared_ptr<const BlockList> BlockSet::Snapshot() const {
  const std::lock_guard lock(mutex_);
  return blocks_;
}

void BlockSet::Replace(const BlockList& out, const BlockList& in) {
  const std::lock_guard lock(mutex_);
  auto blocks = std::make_shared<BlockList>(*blocks_);
  std::erase_if(*blocks, [&](const auto& block) {
    return std::find(out.begin(), out.end(), block) != out.end();
  });
  blocks->insert(blocks->end(), in.begin(), in.end());
  std::stable_sort(blocks->begin(), blocks->end(),
                   [](const auto& a, const auto& b) { return a->min_time() < b->min_time(); });
  blocks_ = std::move(blocks);
}

std::uint64_t Store::MemoryBytes() const {
  std::uint64_t bytes = index.HeapBytes() + recent_bytes.load(std::memory_order_relaxed) +
                        arena_bytes.load(std::memory_order_relaxed);
  if (journal) bytes += journal->waiting_bytes();
  const auto list = blocks.Snapshot();  // held: another thread may replace it
  for (const auto& block : *list) bytes += block->HeapBytes();
  return bytes;
}

void Store::AdvanceNewest(Timestamp time) {
  auto known = newest.load(std::memory_order_relaxed);
  while (time > known && !newest.compare_exchange_weak(known, time, std::memory_order_relaxed)) {
  }
}

void Store::Read(Series& series, TimeRange range, const BlockList* held, Demand demand,
                 Columns& out) {
  const Timestamp from = range.from;
  const Timestamp to = range.to;
  auto& head = series.head;
  // Memory first: what a file being written takes over is then seen here or there, or twice.
  Columns in_memory;
  const std::size_t start = out.size();
  bool meets = false;
  std::uint16_t version = 0;
  {
    const std::lock_guard lock(ShardOf(series.id).mutex);
    const bool covered = head.Covers(from);
    if (!head.Read(from, to, covered ? out : in_memory)) Add(counters.damaged);
    if (covered) {
      if (demand == Demand::kQuery) head.NoteRead();
      return;
    }
    meets = head.Meets(to, series.last_time.load(std::memory_order_relaxed));
    version = head.version();
  }
  const auto present = blocks.Snapshot();
  const auto read = [&](const Block& block) {
    if (block.min_time() <= to && block.max_time() >= from) block.Read(series.id, from, to, out);
  };
  for (const auto& block : *present) read(*block);
  if (held && held != present.get()) {
    for (const auto& block : *held) {
      if (std::find(present->begin(), present->end(), block) == present->end()) read(*block);
    }
  }
  out.times.insert(out.times.end(), in_memory.times.begin(), in_memory.times.end());
  out.values.insert(out.values.end(), in_memory.values.begin(), in_memory.values.end());
  SortByTime(out, start);
  const std::size_t count = out.size() - start;
  if (!meets || demand != Demand::kQuery || count == 0 || count > SeriesHead::kKept) return;
  const std::lock_guard lock(ShardOf(series.id).mutex);
  if (head.version() != version || series.dropped.load(std::memory_order_relaxed)) return;
  const std::size_t before = head.RecentBytes();
  head.Refill(from, std::span(out.times).subspan(start), std::span(out.values).subspan(start));
  recent_bytes.fetch_add(head.RecentBytes() - before, std::memory_order_relaxed);
}

void SetAside(Store& store, const std::filesystem::path& path, const Error& error) {
  auto aside = path;
  aside += ".corrupt";
  std::error_code ignored;
  std::filesystem::rename(path, aside, ignored);
  Add(store.counters.corrupt);
  store.Report("history file is corrupt and was set aside", aside, error);
}

}  // namespace vigia::history
