// Labels: the identity of a series, as a sorted set of name=value pairs.
//
// The metric name is the label "__name__". A label with an empty value is the
// same as no label, so it is never stored. Labels are immutable and reference
// counted: a copy costs one atomic increment, an instance is one pointer wide,
// and the hash is computed once. Any thread may use and copy any instance.

#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vigia {

inline constexpr std::string_view kMetricName = "__name__";

// One label, borrowed: the strings belong to someone else.
struct LabelView {
  std::string_view name;
  std::string_view value;

  friend bool operator==(const LabelView&, const LabelView&) = default;
  friend auto operator<=>(const LabelView&, const LabelView&) = default;
};

class Labels {
 public:
  class Iterator;

  Labels() = default;
  // In any order; of a name given twice the last value counts.
  Labels(std::initializer_list<LabelView> labels);
  static Labels FromPairs(std::span<const LabelView> labels);
  // For pairs already sorted by name, without empty values or repeated names.
  static Labels FromSorted(std::span<const LabelView> labels);

  Labels(const Labels& other) noexcept;
  Labels(Labels&& other) noexcept : block_(other.block_) { other.block_ = nullptr; }
  Labels& operator=(const Labels& other) noexcept;
  Labels& operator=(Labels&& other) noexcept;
  ~Labels();

  std::size_t size() const;
  bool empty() const { return block_ == nullptr; }
  LabelView operator[](std::size_t i) const;

  // The value of `name`, or an empty string where there is none.
  std::string_view Get(std::string_view name) const;
  bool Has(std::string_view name) const { return !Get(name).empty(); }
  std::string_view MetricName() const { return Get(kMetricName); }

  // Stable within one process only: never store it.
  std::uint64_t Hash() const;

  // {__name__="up", job="x"} prints as `up{job="x"}`.
  std::string ToString() const;

  // Bytes on the heap, shared by all copies.
  std::size_t HeapBytes() const;

  Iterator begin() const;
  Iterator end() const;

  friend bool operator==(const Labels& a, const Labels& b);
  // By name, then value, label by label: the order in which Prometheus lists series.
  friend std::strong_ordering operator<=>(const Labels& a, const Labels& b);

 private:
  struct Block;
  explicit Labels(Block* block) : block_(block) {}

  Block* block_ = nullptr;
};

class Labels::Iterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = LabelView;
  using difference_type = std::ptrdiff_t;
  using pointer = const LabelView*;
  using reference = LabelView;

  Iterator() = default;
  Iterator(const Labels* labels, std::size_t i) : labels_(labels), i_(i) {}

  LabelView operator*() const { return (*labels_)[i_]; }
  Iterator& operator++() {
    ++i_;
    return *this;
  }
  Iterator operator++(int) {
    Iterator old = *this;
    ++i_;
    return old;
  }
  friend bool operator==(const Iterator& a, const Iterator& b) { return a.i_ == b.i_; }

 private:
  const Labels* labels_ = nullptr;
  std::size_t i_ = 0;
};

inline Labels::Iterator Labels::begin() const { return {this, 0}; }
inline Labels::Iterator Labels::end() const { return {this, size()}; }

// Edits a copy: start from some labels, set and remove, then build. Not thread-safe.
class LabelsBuilder {
 public:
  LabelsBuilder() = default;
  explicit LabelsBuilder(const Labels& base);

  // An empty value removes the label.
  LabelsBuilder& Set(std::string_view name, std::string_view value);
  LabelsBuilder& Remove(std::string_view name) { return Set(name, {}); }
  // What stands there now, edits included; valid until the next edit.
  std::string_view Get(std::string_view name) const;
  // All that stands there now, in no order; valid until the next edit.
  const std::vector<std::pair<std::string, std::string>>& entries() const { return labels_; }
  // Keeps only (`keep`) or removes the named labels.
  LabelsBuilder& Retain(std::span<const std::string> names, bool keep);

  Labels Build() const;

 private:
  std::vector<std::pair<std::string, std::string>> labels_;
};

// Whether `name` fits [a-zA-Z_:][a-zA-Z0-9_:]*, and the same without ':'.
bool IsLegacyMetricName(std::string_view name);
bool IsLegacyLabelName(std::string_view name);

}  // namespace vigia

template <>
struct std::hash<vigia::Labels> {
  std::size_t operator()(const vigia::Labels& labels) const noexcept { return labels.Hash(); }
};
