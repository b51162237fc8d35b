#include "query/history/appender.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace vigia::history {
namespace {

// New series are refused from this part of max_memory on, samples only at the whole.
constexpr double kMemoryForSeries = 0.9;

bool SameBits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

// a - b, at least the smallest time.
Timestamp Before(Timestamp a, std::chrono::milliseconds b) {
  return a < Store::kNever + b.count() ? Store::kNever : a - b.count();
}

}  // namespace

// One call of Append().
class Appender::Batch {
 public:
  Batch(Store& store, bool replay) : store_(store), replay_(replay) {
    wall_ = store.clock.Wall();
    const Timestamp largest = std::numeric_limits<Timestamp>::max();
    const auto ahead = store.options.max_ahead.count();
    latest_ = replay || wall_ > largest - ahead ? largest : wall_ + ahead;
    horizon_ = replay ? Store::kNever : store.horizon.load(std::memory_order_relaxed);
  }
  ~Batch() { Unlock(); }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  void Reserve(std::size_t count) { accepted_.reserve(count); }

  // False if the series was dropped: nothing was done.
  bool Add(Series& series, Sample sample) {
    Lock(series.id);
    if (series.dropped.load(std::memory_order_relaxed)) {
      Unlock();
      return false;
    }
    const Timestamp last = series.last_time.load(std::memory_order_relaxed);
    if (sample.time > latest_) {
      ++too_new_;
    } else if (sample.time < horizon_) {
      ++too_old_;
    } else if (sample.time > last) {
      const std::size_t recent = series.head.RecentBytes();
      const std::size_t arena = shard_->arena->bytes();
      series.head.Append(sample, *shard_->arena);
      Account(series, recent, arena);
      series.Cover(sample.time, sample.time);
      newest_ = std::max(newest_, sample.time);
      accepted_.push_back({&series, sample});
    } else if (const double* stored = series.head.FindRecent(sample.time)) {
      ++(SameBits(*stored, sample.value) ? duplicate_ : conflicting_);
    } else if (!replay_ &&
               sample.time < Before(std::min(last, wall_), store_.options.out_of_order_window)) {
      ++too_old_;
    } else {
      late_.push_back({&series, sample});
    }
    return true;
  }

  // Time goes on all the same: retention has to free what the limit is about.
  void Refuse(Sample sample, bool memory) {
    ++(memory ? over_memory_ : over_series_);
    if (sample.time <= latest_) newest_ = std::max(newest_, sample.time);
  }

  SeriesSink::Outcome Finish() {
    Unlock();
    AddLate();
    if (!replay_ && store_.journal->Append(accepted_)) {
      // A refusing disk is counted there and met again by the next Sync().
      static_cast<void>(store_.journal->Flush());
    }
    store_.AdvanceNewest(newest_);
    auto& counters = store_.counters;
    history::Add(replay_ ? counters.replayed : counters.appended, accepted_.size());
    history::Add(counters.out_of_order, out_of_order_);
    history::Add(counters.duplicate, duplicate_);
    history::Add(counters.conflicting, conflicting_);
    history::Add(counters.too_old, too_old_);
    history::Add(counters.too_new, too_new_);
    history::Add(counters.over_series, over_series_);
    history::Add(counters.over_memory, over_memory_);
    return {.stored = accepted_.size(),
            .duplicate = duplicate_,
            .out_of_order = conflicting_ + too_old_ + too_new_,
            .refused = over_series_ + over_memory_};
  }

 private:
  void Lock(SeriesId id) {
    Shard& shard = store_.ShardOf(id);
    if (&shard == shard_) return;
    Unlock();
    shard.mutex.lock();
    shard_ = &shard;
  }

  void Unlock() {
    if (shard_) shard_->mutex.unlock();
    shard_ = nullptr;
  }

  // After a head took samples; `recent` and `arena` are what it used before.
  void Account(Series& series, std::size_t recent, std::size_t arena) {
    if (!series.unsealed) {
      series.unsealed = true;
      shard_->unsealed.push_back(&series);
      store_.unsealed.fetch_add(1, std::memory_order_relaxed);
    }
    if (series.head.RecentBytes() != recent) {
      store_.recent_bytes.fetch_add(series.head.RecentBytes() - recent, std::memory_order_relaxed);
    }
    if (shard_->arena->bytes() != arena) {
      store_.arena_bytes.fetch_add(shard_->arena->bytes() - arena, std::memory_order_relaxed);
    }
  }

  // Late samples: not while a shard is locked, since files may have to be read.
  void AddLate() {
    std::stable_sort(late_.begin(), late_.end(), [](const auto& a, const auto& b) {
      return a.series->id != b.series->id ? a.series->id < b.series->id
                                          : a.sample.time < b.sample.time;
    });
    for (auto group = late_.begin(); group != late_.end();) {
      const auto end = std::find_if(
          group, late_.end(), [&](const auto& entry) { return entry.series != group->series; });
      AddLateOf(*group->series, {group, end});
      group = end;
    }
  }

  void AddLateOf(Series& series, std::span<const Journal::Entry> entries) {
    Columns stored;
    store_.Read(series, {entries.front().sample.time, entries.back().sample.time}, nullptr,
                Store::Demand::kOnce, stored);
    Columns fresh;
    for (const auto& [unused, sample] : entries) {
      const auto at = std::lower_bound(stored.times.begin(), stored.times.end(), sample.time);
      const double* same_time = nullptr;
      if (at != stored.times.end() && *at == sample.time) {
        same_time = &stored.values[static_cast<std::size_t>(at - stored.times.begin())];
      } else if (!fresh.times.empty() && fresh.times.back() == sample.time) {
        same_time = &fresh.values.back();
      }
      if (same_time) {
        ++(SameBits(*same_time, sample.value) ? duplicate_ : conflicting_);
      } else {
        fresh.times.push_back(sample.time);
        fresh.values.push_back(sample.value);
      }
    }
    if (!fresh.times.empty()) InsertLate(series, fresh);
  }

  void InsertLate(Series& series, const Columns& fresh) {
    Lock(series.id);
    if (series.dropped.load(std::memory_order_relaxed)) {
      too_old_ += fresh.size();  // retention took all that the series had
    } else {
      const std::size_t recent = series.head.RecentBytes();
      const std::size_t arena = shard_->arena->bytes();
      series.head.Insert(fresh.times, fresh.values, *shard_->arena);
      Account(series, recent, arena);
      series.Cover(fresh.times.front(), fresh.times.back());
      newest_ = std::max(newest_, fresh.times.back());
      out_of_order_ += fresh.size();
      for (std::size_t i = 0; i < fresh.size(); ++i) {
        accepted_.push_back({&series, {fresh.times[i], fresh.values[i]}});
      }
    }
    Unlock();
  }

  Store& store_;
  const bool replay_;
  Timestamp wall_;
  Timestamp latest_;
  Timestamp horizon_;
  Timestamp newest_ = Store::kNever;
  Shard* shard_ = nullptr;  // locked
  std::vector<Journal::Entry> accepted_;
  std::vector<Journal::Entry> late_;
  std::size_t out_of_order_ = 0, duplicate_ = 0, conflicting_ = 0, too_old_ = 0, too_new_ = 0;
  std::size_t over_series_ = 0, over_memory_ = 0;
};

bool Appender::MemoryForSeries() const {
  const auto limit = static_cast<double>(store_.options.max_memory) * kMemoryForSeries;
  return static_cast<double>(store_.MemoryBytes()) <= limit;
}

bool Appender::TakesSeries() const {
  return store_.index.size() < store_.options.max_series && MemoryForSeries();
}

SeriesPointer Appender::FindOrCreate(const Labels& labels) {
  if (auto known = store_.index.Find(labels)) return known;
  if (!MemoryForSeries()) return nullptr;
  bool created = false;
  auto series = store_.index.FindOrCreate(labels, store_.options.max_series, &created);
  if (created) history::Add(store_.counters.created);
  return series;
}

SeriesSink::Outcome Appender::Append(std::span<Item> items) { return Add(items, false); }

void Appender::Replay(std::span<Item> items) { Add(items, true); }

SeriesSink::Outcome Appender::Add(std::span<Item> items, bool replay) {
  Batch batch(store_, replay);
  batch.Reserve(items.size());
  const bool full = !replay && store_.MemoryBytes() > store_.options.max_memory;
  for (auto& item : items) {
    // Dropped by retention between being found and now: it needs a new entry in the index.
    while (!full && item.series && !batch.Add(*item.series, item.sample)) {
      item.series = FindOrCreate(item.series->labels);
    }
    if (full || !item.series) batch.Refuse(item.sample, full);
  }
  return batch.Finish();
}

SeriesSink::Outcome Appender::Append(std::span<const SeriesSink::Entry> entries) {
  std::vector<Item> items;
  items.reserve(entries.size());
  const Labels* last = nullptr;
  for (const auto& entry : entries) {
    const bool same = last && *last == entry.labels;
    items.push_back({same ? items.back().series : FindOrCreate(entry.labels), entry.sample});
    last = &entry.labels;
  }
  return Append(std::span(items));
}

SeriesSink::Outcome Appender::Append(std::span<const SeriesSink::Run> runs) {
  std::vector<SeriesPointer> all;
  all.reserve(runs.size());
  std::size_t count = 0;
  for (const auto& run : runs) {
    all.push_back(FindOrCreate(*run.labels));
    count += run.samples.size();
  }
  Batch batch(store_, false);
  batch.Reserve(count);
  const bool full = store_.MemoryBytes() > store_.options.max_memory;
  std::vector<SeriesPointer> replaced;  // what the batch refers to stays until it is finished
  for (std::size_t i = 0; i < runs.size(); ++i) {
    auto& series = all[i];
    for (const auto& sample : runs[i].samples) {
      while (!full && series && !batch.Add(*series, sample)) {
        replaced.push_back(std::exchange(series, FindOrCreate(*runs[i].labels)));
      }
      if (full || !series) batch.Refuse(sample, full);
    }
  }
  return batch.Finish();
}

}  // namespace vigia::history
