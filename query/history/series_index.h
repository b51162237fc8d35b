// All series, to be found by their labels or by matchers. Thread-safe.

#pragma once

#include <array>
#include <memory>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "query/history/postings.h"
#include "query/history/series.h"
#include "query/history/value_matcher.h"

namespace vigia::history {

using SeriesPointer = std::shared_ptr<Series>;

// Series by id. Ids ascend and are never reused, so it keeps pages, and frees those that are empty.
class SeriesPages {
 public:
  const SeriesPointer& At(SeriesId id) const { return pages_[id / kPage]->series[id % kPage]; }
  void Set(SeriesId id, SeriesPointer series);
  void Clear(SeriesId id);

 private:
  static constexpr std::size_t kPage = 256;
  struct Page {
    std::array<SeriesPointer, kPage> series;
    std::size_t used = 0;
  };
  std::vector<std::unique_ptr<Page>> pages_;
};

class SeriesIndex {
 public:
  // nullptr if there is none.
  SeriesPointer Find(const Labels& labels) const;
  // The same for many, in one go.
  void Find(std::span<const Labels* const> labels, std::span<SeriesPointer> out) const;

  // The series with these labels, made if there is none; nullptr if there already are `limit`.
  SeriesPointer FindOrCreate(const Labels& labels, std::size_t limit, bool* created = nullptr);

  // Forgets series.
  void Remove(std::span<const SeriesPointer> series);

  // Series that fit all matchers and may have samples in `range`, sorted by labels.
  std::vector<SeriesPointer> Select(std::span<const ValueMatcher> matchers, TimeRange range) const;
  // Label names and values, sorted; of all series. `range` is not looked at.
  std::vector<std::string> LabelNames() const;
  std::vector<std::string> LabelValues(std::string_view name) const;

  // Every series, in the order of labels.
  std::vector<SeriesPointer> All() const;
  // Brings series of the index in the order of labels.
  void Sort(std::span<Series*> series) const;

  std::size_t size() const;
  std::size_t HeapBytes() const;

 private:
  struct Slot {
    std::uint32_t hash = 0;
    SeriesId id = 0;  // 0: empty
  };

  SeriesId Lookup(const Labels& labels) const;
  void Link(SeriesId id, const Labels& labels);
  void Rehash(std::size_t slots);
  void Order() const;
  Postings::LabelsOf LabelsById() const;

  mutable std::shared_mutex mutex_;
  // Guarded by mutex_.
  SeriesPages pages_;
  Postings postings_;
  std::vector<Slot> slots_;  // hash table of labels, linear probing
  SeriesId last_id_ = 0;
  std::size_t label_bytes_ = 0;
  mutable std::vector<SeriesId> ordered_;    // by labels
  mutable std::vector<SeriesId> unordered_;  // new since
};

}  // namespace vigia::history
