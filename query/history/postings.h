// The inverted index: which series have which label.
//
// For every label name and value there is a sorted list of the ids of the series that have it.
// Not thread-safe; const methods may run at the same time.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/hash.h"
#include "core/labels.h"
#include "query/history/value_matcher.h"

namespace vigia::history {

using SeriesId = std::uint32_t;
using IdList = std::vector<SeriesId>;  // ascending

class Postings {
 public:
  // Values in order, so that a prefix is a range.
  using Values = std::map<std::string, IdList, std::less<>>;
  // The labels of a series that was added.
  using LabelsOf = std::function<const Labels&(SeriesId)>;

  // `id` is larger than all before.
  void Add(SeriesId id, const Labels& labels);
  // `ids` ascending, all present.
  void Remove(std::span<const SeriesId> ids, const LabelsOf& labels_of);

  // Ids of the series that fit all matchers.
  IdList Select(std::span<const ValueMatcher> matchers, const LabelsOf& labels_of) const;

  const IdList& all() const { return all_; }
  const std::unordered_map<std::string, Values, StringHash, std::equal_to<>>& names() const {
    return names_;
  }
  // nullptr if no series has the label.
  const Values* ValuesOf(std::string_view name) const;

  std::size_t HeapBytes() const { return bytes_; }

 private:
  void Append(IdList& list, SeriesId id);
  IdList WithPattern(const Values& values, const ValueMatcher& matcher, bool matching) const;
  IdList Start(std::vector<const ValueMatcher*>& left) const;
  void Narrow(IdList& ids, const ValueMatcher& matcher, const LabelsOf& labels_of) const;

  IdList all_;
  std::unordered_map<std::string, Values, StringHash, std::equal_to<>> names_;
  std::size_t bytes_ = 0;
};

}  // namespace vigia::history
