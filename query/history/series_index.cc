#include "query/history/series_index.h"

#include <algorithm>
#include <bit>
#include <mutex>

namespace vigia::history {
namespace {

// What a series takes beside its labels: itself, its share of a page, of the hash table and of
// the order, and the allocator's part of the allocations.
constexpr std::size_t kSeriesBytes =
    sizeof(Series) + 2 * sizeof(void*) + sizeof(SeriesPointer) + 12 + sizeof(SeriesId) + 32;

bool MayHaveSamples(const Series& series, TimeRange range) {
  return series.first_time.load(std::memory_order_relaxed) <= range.to &&
         series.last_time.load(std::memory_order_relaxed) >= range.from;
}

}  // namespace

void SeriesPages::Set(SeriesId id, SeriesPointer series) {
  if (id / kPage >= pages_.size()) pages_.resize(id / kPage + 1);
  auto& page = pages_[id / kPage];
  if (!page) page = std::make_unique<Page>();
  page->series[id % kPage] = std::move(series);
  ++page->used;
}

void SeriesPages::Clear(SeriesId id) {
  auto& page = pages_[id / kPage];
  page->series[id % kPage].reset();
  if (--page->used == 0) page.reset();
}

SeriesId SeriesIndex::Lookup(const Labels& labels) const {
  if (slots_.empty()) return 0;
  const std::uint64_t hash = labels.Hash();
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask; slots_[at].id != 0; at = (at + 1) & mask) {
    if (slots_[at].hash == static_cast<std::uint32_t>(hash >> 32) &&
        pages_.At(slots_[at].id)->labels == labels) {
      return slots_[at].id;
    }
  }
  return 0;
}

SeriesPointer SeriesIndex::Find(const Labels& labels) const {
  const std::shared_lock lock(mutex_);
  const SeriesId id = Lookup(labels);
  return id == 0 ? nullptr : pages_.At(id);
}

void SeriesIndex::Find(std::span<const Labels* const> labels, std::span<SeriesPointer> out) const {
  const std::shared_lock lock(mutex_);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const SeriesId id = Lookup(*labels[i]);
    if (id != 0) out[i] = pages_.At(id);
  }
}

void SeriesIndex::Link(SeriesId id, const Labels& labels) {
  const std::uint64_t hash = labels.Hash();
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].id != 0) at = (at + 1) & mask;
  slots_[at] = {static_cast<std::uint32_t>(hash >> 32), id};
}

void SeriesIndex::Rehash(std::size_t slots) {
  slots_.assign(slots, {});
  slots_.shrink_to_fit();
  for (const auto id : postings_.all()) Link(id, pages_.At(id)->labels);
}

SeriesPointer SeriesIndex::FindOrCreate(const Labels& labels, std::size_t limit, bool* created) {
  const std::unique_lock lock(mutex_);
  if (const SeriesId id = Lookup(labels); id != 0) return pages_.At(id);
  if (postings_.all().size() >= limit || last_id_ == ~SeriesId{0}) return nullptr;
  const SeriesId id = ++last_id_;
  auto series = std::make_shared<Series>(id, labels);
  pages_.Set(id, series);
  postings_.Add(id, labels);
  unordered_.push_back(id);
  label_bytes_ += labels.HeapBytes();
  // At most three quarters full.
  if (postings_.all().size() * 4 > slots_.size() * 3) {
    Rehash(std::max<std::size_t>(64, 2 * slots_.size()));
  } else {
    Link(id, labels);
  }
  if (created) *created = true;
  return series;
}

void SeriesIndex::Remove(std::span<const SeriesPointer> series) {
  if (series.empty()) return;
  IdList ids;
  for (const auto& one : series) ids.push_back(one->id);
  std::sort(ids.begin(), ids.end());
  const std::unique_lock lock(mutex_);
  Order();
  postings_.Remove(ids, LabelsById());
  std::erase_if(ordered_,
                [&](SeriesId id) { return std::binary_search(ids.begin(), ids.end(), id); });
  for (const auto id : ids) {
    label_bytes_ -= pages_.At(id)->labels.HeapBytes();
    pages_.Clear(id);
  }
  Rehash(std::max<std::size_t>(64, std::bit_ceil(postings_.all().size() * 3 / 2)));
}

// Merges the new series into the order of labels; needs mutex_ exclusively.
void SeriesIndex::Order() const {
  if (unordered_.empty()) return;
  const auto by_labels = [&](SeriesId a, SeriesId b) {
    return pages_.At(a)->labels < pages_.At(b)->labels;
  };
  std::sort(unordered_.begin(), unordered_.end(), by_labels);
  std::vector<SeriesId> merged;
  merged.reserve(ordered_.size() + unordered_.size());
  auto rest = ordered_.begin();
  for (const auto id : unordered_) {
    const auto place = std::upper_bound(rest, ordered_.end(), id, by_labels);
    merged.insert(merged.end(), rest, place);
    merged.push_back(id);
    rest = place;
  }
  merged.insert(merged.end(), rest, ordered_.end());
  ordered_ = std::move(merged);
  unordered_.clear();
  for (std::uint32_t i = 0; i < ordered_.size(); ++i) pages_.At(ordered_[i])->rank = i;
}

Postings::LabelsOf SeriesIndex::LabelsById() const {
  return [this](SeriesId id) -> const Labels& { return pages_.At(id)->labels; };
}

std::vector<SeriesPointer> SeriesIndex::Select(std::span<const ValueMatcher> matchers,
                                               TimeRange range) const {
  // A few new series are put in their place below; ordering all costs more than many look-ups.
  constexpr std::size_t kFew = 256;
  std::shared_lock lock(mutex_);
  if (unordered_.size() > kFew) {
    lock.unlock();
    {
      const std::unique_lock exclusive(mutex_);
      Order();
    }
    lock.lock();
  }
  std::vector<SeriesPointer> selected;
  for (const auto id : postings_.Select(matchers, LabelsById())) {
    const auto& series = pages_.At(id);
    if (MayHaveSamples(*series, range)) selected.push_back(series);
  }
  std::sort(selected.begin(), selected.end(), [](const auto& a, const auto& b) {
    if (a->rank == Series::kUnranked || b->rank == Series::kUnranked) return a->labels < b->labels;
    return a->rank < b->rank;
  });
  return selected;
}

std::vector<std::string> SeriesIndex::LabelNames() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, values] : postings_.names()) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> SeriesIndex::LabelValues(std::string_view name) const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> out;
  if (const auto* values = postings_.ValuesOf(name)) {
    out.reserve(values->size());
    for (const auto& [value, ids] : *values) out.push_back(value);
  }
  return out;
}

std::vector<SeriesPointer> SeriesIndex::All() const {
  const std::unique_lock lock(mutex_);
  Order();
  std::vector<SeriesPointer> all;
  all.reserve(ordered_.size());
  for (const auto id : ordered_) all.push_back(pages_.At(id));
  return all;
}

void SeriesIndex::Sort(std::span<Series*> series) const {
  const std::unique_lock lock(mutex_);
  Order();
  std::sort(series.begin(), series.end(),
            [](const Series* a, const Series* b) { return a->rank < b->rank; });
}

std::size_t SeriesIndex::size() const {
  const std::shared_lock lock(mutex_);
  return postings_.all().size();
}

std::size_t SeriesIndex::HeapBytes() const {
  const std::shared_lock lock(mutex_);
  return postings_.HeapBytes() + label_bytes_ + postings_.all().size() * kSeriesBytes;
}

}  // namespace vigia::history
