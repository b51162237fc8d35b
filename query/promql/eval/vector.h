// An instant vector at every step of a query at once: a row of values per series.
//
// Not thread-safe; different rows may be written by different threads.

#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/labels.h"
#include "core/sample.h"
#include "query/promql/error.h"

namespace vigia::promql {

// Stands where a series has no sample at a step. Stale markers never get past the selectors, so
// their bits are free.
inline double Absent() { return GoneMarker(); }
inline bool IsAbsent(double value) { return IsGone(value); }
inline bool IsPresent(double value) { return !IsGone(value); }

struct Vector {
  explicit Vector(std::size_t step_count = 1) : steps(step_count) {}

  std::size_t rows() const { return labels.size(); }
  std::span<double> Row(std::size_t i) { return {values.data() + i * steps, steps}; }
  std::span<const double> Row(std::size_t i) const { return {values.data() + i * steps, steps}; }
  // A new row without samples.
  std::span<double> Append(Labels series);
  // A copy of a row; the name is dropped if `other`'s are.
  void Append(const Vector& other, std::size_t row);

  // The labels of a row without what was dropped.
  Labels LabelsOf(std::size_t row) const;
  std::string_view LabelOf(std::size_t row, std::string_view name) const;
  // Applies the pending removal of names to all rows.
  void RemoveDroppedNames();
  std::size_t CountPresent() const;

  std::size_t steps;
  std::vector<Labels> labels;
  std::vector<double> values;
  // Metric names are still among the labels but do not count any more: removing them is put off,
  // as most vectors are aggregated or matched before anybody looks.
  bool name_dropped = false;
  // No two rows differ in the name alone, so dropping names makes no duplicates.
  bool unique_without_name = false;
};

// `labels` without the metric name.
Labels WithoutName(const Labels& labels);

// After names were dropped or labels changed: rows with the same labels become one where their
// samples lie at different steps; otherwise an error. With `only_check`, any two such rows are one.
QueryStatus MergeEqualRows(Vector& vector, bool only_check = false);

inline constexpr std::string_view kSameLabelset =
    "vector cannot contain metrics with the same labelset";

}  // namespace vigia::promql
