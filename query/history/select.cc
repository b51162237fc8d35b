// What the history answers to queries.

#include <algorithm>
#include <iterator>

#include "query/history/history.h"

namespace vigia::history {
namespace {

struct Selection;

class SelectedSeries final : public StoredSeries {
 public:
  SelectedSeries(const Selection& selection, SeriesPointer series)
      : selection_(&selection), series_(std::move(series)) {}

  const Labels& labels() const override { return series_->labels; }
  Status Read(Timestamp from, Timestamp to, Columns& out) const override;

 private:
  const Selection* selection_;
  const SeriesPointer series_;
};

// The series of one Select(), in one allocation that each of them keeps alive.
struct Selection {
  std::shared_ptr<Store> store;
  // What there was when the series were selected: retention may delete it, a reader still sees it.
  std::shared_ptr<const BlockList> blocks;
  std::vector<SelectedSeries> series;
};

Status SelectedSeries::Read(Timestamp from, Timestamp to, Columns& out) const {
  if (from <= to) {
    selection_->store->Read(*series_, {from, to}, selection_->blocks.get(), Store::Demand::kQuery,
                            out);
  }
  return Ok();
}

Result<std::vector<ValueMatcher>> Compile(std::span<const Matcher> matchers) {
  std::vector<ValueMatcher> compiled;
  compiled.reserve(matchers.size());
  for (const auto& matcher : matchers) {
    auto one = ValueMatcher::Compile(matcher);
    if (!one) return Fail(one.error());
    compiled.push_back(std::move(*one));
  }
  return compiled;
}

std::vector<std::string> SortedUnique(std::vector<std::string_view> strings) {
  std::sort(strings.begin(), strings.end());
  strings.erase(std::unique(strings.begin(), strings.end()), strings.end());
  return {strings.begin(), strings.end()};
}

}  // namespace

Result<std::vector<std::shared_ptr<const StoredSeries>>> History::Select(
    std::span<const Matcher> matchers, TimeRange range) const {
  const auto compiled = Compile(matchers);
  if (!compiled) return Fail(compiled.error());
  auto selection = std::make_shared<Selection>();
  selection->store = store_;
  selection->blocks = store_->blocks.Snapshot();
  auto found = store_->index.Select(*compiled, range);
  selection->series.reserve(found.size());
  std::vector<std::shared_ptr<const StoredSeries>> out;
  out.reserve(found.size());
  for (auto& series : found) {
    selection->series.emplace_back(*selection, std::move(series));
    out.emplace_back(selection, &selection->series.back());
  }
  return out;
}

Result<std::vector<std::string>> History::LabelNames(std::span<const Matcher> matchers,
                                                     TimeRange range) const {
  const auto compiled = Compile(matchers);
  if (!compiled) return Fail(compiled.error());
  const auto found = store_->index.Select(*compiled, range);
  std::vector<std::string_view> names;
  for (const auto& series : found) {
    for (const auto [name, value] : series->labels) names.push_back(name);
    // Few names, many series.
    if (names.size() > 4096) {
      std::sort(names.begin(), names.end());
      names.erase(std::unique(names.begin(), names.end()), names.end());
    }
  }
  return SortedUnique(std::move(names));
}

Result<std::vector<std::string>> History::LabelValues(std::string_view label,
                                                      std::span<const Matcher> matchers,
                                                      TimeRange range) const {
  const auto compiled = Compile(matchers);
  if (!compiled) return Fail(compiled.error());
  const auto found = store_->index.Select(*compiled, range);
  std::vector<std::string_view> values;
  for (const auto& series : found) {
    const auto value = series->labels.Get(label);
    if (!value.empty() && (values.empty() || values.back() != value)) values.push_back(value);
  }
  return SortedUnique(std::move(values));
}

Stats History::stats() const {
  const Store& store = *store_;
  const auto get = [](const Counters::Count& count) {
    return count.load(std::memory_order_relaxed);
  };
  const auto& counters = store.counters;
  Stats stats;
  stats.series = store.index.size();
  stats.memory_bytes = store.MemoryBytes();
  stats.chunks_damaged = get(counters.damaged);
  const auto blocks = store.blocks.Snapshot();
  stats.blocks = blocks->size();
  stats.oldest_time = blocks->empty() ? 0 : blocks->front()->min_time();
  for (const auto& block : *blocks) {
    stats.block_bytes += block->bytes();
    stats.block_samples += block->samples();
    stats.chunks_damaged += block->damaged();
  }
  const Timestamp newest = store.newest.load(std::memory_order_relaxed);
  stats.newest_time = newest == Store::kNever ? 0 : newest;
  stats.journal_bytes = store.journal->DiskBytes();
  stats.journal_waiting_bytes = store.journal->waiting_bytes();
  stats.at_risk = stats.journal_waiting_bytes > 0 || store.journal->Incomplete();
  stats.samples_lost = store.journal->lost_samples();
  stats.write_errors = get(counters.write_errors) + store.journal->write_errors();
  stats.samples_appended = get(counters.appended);
  stats.samples_out_of_order = get(counters.out_of_order);
  stats.samples_duplicate = get(counters.duplicate);
  stats.samples_conflicting = get(counters.conflicting);
  stats.samples_too_old = get(counters.too_old);
  stats.samples_too_new = get(counters.too_new);
  stats.samples_over_series = get(counters.over_series);
  stats.samples_over_memory = get(counters.over_memory);
  stats.series_created = get(counters.created);
  stats.series_dropped = get(counters.dropped);
  stats.blocks_written = get(counters.blocks_written);
  stats.blocks_merged = get(counters.blocks_merged);
  stats.blocks_deleted = get(counters.blocks_deleted);
  stats.files_corrupt = get(counters.corrupt);
  stats.torn_tails = get(counters.torn);
  stats.samples_replayed = get(counters.replayed);
  return stats;
}

}  // namespace vigia::history
