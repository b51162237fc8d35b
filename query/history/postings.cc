#include "query/history/postings.h"

#include <algorithm>
#include <bit>
#include <iterator>

namespace vigia::history {
namespace {

// A node of a map or hash table beside the strings themselves.
constexpr std::size_t kNodeBytes = 112;

IdList Intersect(const IdList& a, const IdList& b) {
  const IdList& small = a.size() < b.size() ? a : b;
  const IdList& large = a.size() < b.size() ? b : a;
  IdList out;
  out.reserve(small.size());
  if (small.size() * 16 < large.size()) {
    auto at = large.begin();
    for (const auto id : small) {
      at = std::lower_bound(at, large.end(), id);
      if (at == large.end()) break;
      if (*at == id) out.push_back(id);
    }
  } else {
    std::set_intersection(small.begin(), small.end(), large.begin(), large.end(),
                          std::back_inserter(out));
  }
  return out;
}

IdList Subtract(const IdList& a, const IdList& b) {
  IdList out;
  out.reserve(a.size());
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

// The union of lists that have no id in common, as those of different values of a label have.
IdList Unite(std::span<const IdList* const> lists) {
  std::size_t total = 0;
  SeriesId largest = 0;
  for (const auto* list : lists) {
    total += list->size();
    if (!list->empty()) largest = std::max(largest, list->back());
  }
  IdList out;
  out.reserve(total);
  if (lists.size() == 1 || total * 8 < largest / 64) {
    for (const auto* list : lists) out.insert(out.end(), list->begin(), list->end());
    if (lists.size() > 1) std::sort(out.begin(), out.end());
    return out;
  }
  std::vector<std::uint64_t> bits(largest / 64 + 1);
  for (const auto* list : lists) {
    for (const auto id : *list) bits[id / 64] |= std::uint64_t{1} << (id % 64);
  }
  for (std::size_t word = 0; word < bits.size(); ++word) {
    for (auto rest = bits[word]; rest != 0; rest &= rest - 1) {
      out.push_back(
          static_cast<SeriesId>(word * 64 + static_cast<std::size_t>(std::countr_zero(rest))));
    }
  }
  return out;
}

}  // namespace

void Postings::Append(IdList& list, SeriesId id) {
  const std::size_t capacity = list.capacity();
  // Long lists grow by a quarter: what stays unused is most of an index' memory.
  if (list.size() == capacity && capacity >= 64) list.reserve(capacity + capacity / 4);
  list.push_back(id);
  bytes_ += (list.capacity() - capacity) * sizeof(SeriesId);
}

void Postings::Add(SeriesId id, const Labels& labels) {
  Append(all_, id);
  for (const auto [name, value] : labels) {
    auto by_name = names_.find(name);
    if (by_name == names_.end()) {
      by_name = names_.emplace(name, Values{}).first;
      bytes_ += kNodeBytes + name.size();
    }
    auto by_value = by_name->second.find(value);
    if (by_value == by_name->second.end()) {
      by_value = by_name->second.emplace(value, IdList{}).first;
      bytes_ += kNodeBytes + value.size();
    }
    Append(by_value->second, id);
  }
}

void Postings::Remove(std::span<const SeriesId> ids, const LabelsOf& labels_of) {
  std::vector<IdList*> touched{&all_};
  for (const auto id : ids) {
    for (const auto [name, value] : labels_of(id)) {
      touched.push_back(&names_.find(name)->second.find(value)->second);
    }
  }
  std::sort(touched.begin() + 1, touched.end());
  touched.erase(std::unique(touched.begin() + 1, touched.end()), touched.end());
  for (IdList* list : touched) {
    const std::size_t capacity = list->capacity();
    std::erase_if(*list,
                  [&](SeriesId id) { return std::binary_search(ids.begin(), ids.end(), id); });
    if (list->size() * 2 < capacity) list->shrink_to_fit();
    bytes_ -= (capacity - list->capacity()) * sizeof(SeriesId);
  }
  for (const auto id : ids) {
    for (const auto [name, value] : labels_of(id)) {
      const auto by_name = names_.find(name);
      if (by_name == names_.end()) continue;
      const auto by_value = by_name->second.find(value);
      if (by_value != by_name->second.end() && by_value->second.empty()) {
        bytes_ -= kNodeBytes + value.size() + by_value->second.capacity() * sizeof(SeriesId);
        by_name->second.erase(by_value);
      }
      if (by_name->second.empty()) {
        bytes_ -= kNodeBytes + name.size();
        names_.erase(by_name);
      }
    }
  }
}

const Postings::Values* Postings::ValuesOf(std::string_view name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : &found->second;
}

// Series whose value of the label fits the matcher's pattern (or, if not `matching`, does not).
// Series without the label are in neither.
IdList Postings::WithPattern(const Values& values, const ValueMatcher& matcher,
                             bool matching) const {
  std::vector<const IdList*> lists;
  if (matcher.IsList() && matching) {
    for (const auto& value : matcher.values()) {
      const auto found = values.find(value);
      if (found != values.end()) lists.push_back(&found->second);
    }
  } else if (matching) {
    const auto end = matcher.upper().empty() ? values.end() : values.upper_bound(matcher.upper());
    for (auto at = values.lower_bound(matcher.lower()); at != values.end() && at != end; ++at) {
      if (matcher.MatchesPattern(at->first)) lists.push_back(&at->second);
    }
  } else {
    for (const auto& [value, ids] : values) {
      if (!matcher.MatchesPattern(value)) lists.push_back(&ids);
    }
  }
  return lists.empty() ? IdList{} : Unite(lists);
}

// The series to start from: those of the list matcher that has the fewest, or else all. Removes
// the matcher that was used from `left`.
IdList Postings::Start(std::vector<const ValueMatcher*>& left) const {
  auto best = left.end();
  std::size_t fewest = ~std::size_t{0};
  for (auto at = left.begin(); at != left.end(); ++at) {
    const auto& matcher = **at;
    if (!matcher.IsList() || matcher.negated() || matcher.MatchesEmpty()) continue;
    std::size_t count = 0;
    if (const auto* values = ValuesOf(matcher.name())) {
      for (const auto& value : matcher.values()) {
        const auto found = values->find(value);
        if (found != values->end()) count += found->second.size();
      }
    }
    if (count < fewest) {
      fewest = count;
      best = at;
    }
  }
  if (best == left.end()) return all_;
  const ValueMatcher& matcher = **best;
  left.erase(best);
  const auto* values = ValuesOf(matcher.name());
  return values ? WithPattern(*values, matcher, true) : IdList{};
}

void Postings::Narrow(IdList& ids, const ValueMatcher& matcher, const LabelsOf& labels_of) const {
  const auto* values = ValuesOf(matcher.name());
  if (!values) {
    if (!matcher.MatchesEmpty()) ids.clear();
    return;
  }
  // Looking at each series' label beats walking through many values.
  const std::size_t lists = matcher.IsList() ? matcher.values().size() : values->size();
  if (ids.size() <= 2 * lists || ids.size() <= 16) {
    std::erase_if(ids,
                  [&](SeriesId id) { return !matcher.Matches(labels_of(id).Get(matcher.name())); });
    return;
  }
  // Of the series that have the label those whose value fits, or all but those whose does not.
  if (matcher.MatchesEmpty()) {
    ids = Subtract(ids, WithPattern(*values, matcher, matcher.negated()));
  } else {
    ids = Intersect(ids, WithPattern(*values, matcher, !matcher.negated()));
  }
}

IdList Postings::Select(std::span<const ValueMatcher> matchers, const LabelsOf& labels_of) const {
  std::vector<const ValueMatcher*> left;
  left.reserve(matchers.size());
  for (const auto& matcher : matchers) left.push_back(&matcher);
  IdList ids = Start(left);
  // Cheap ones first: they leave less to the others.
  std::stable_partition(left.begin(), left.end(),
                        [](const ValueMatcher* matcher) { return matcher->IsList(); });
  for (const auto* matcher : left) {
    if (ids.empty()) break;
    Narrow(ids, *matcher, labels_of);
  }
  return ids;
}

}  // namespace vigia::history
