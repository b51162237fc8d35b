// A FoldedTable turns many rows (tables, indexes) into a bounded number of series: the most active
// rows are listed, the others are added up under the label value `__other__`.
//
// A row that is listed stays listed as long as it exists, so that counters of `__other__` do not
// jump whenever two rows change places. Not thread-safe.

#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "collectors/postgres/connection.h"
#include "core/batch.h"
#include "core/metric.h"
#include "core/result.h"

namespace vigia::collectors::postgres {

inline constexpr std::string_view kOther = "__other__";

struct FoldedColumn {
  Metric metric;
  bool activity = false;  // counts towards how active a row is
  bool sums = true;       // false: a time, which has no sum and is left out of `__other__`
};

class FoldedTable {
 public:
  // The first label is the same for all rows (datname) and kept when rows are folded.
  FoldedTable(std::span<const std::string_view> labels, std::span<const FoldedColumn> columns,
              std::size_t max);

  // Takes rows of: an id, one cell for each label but the first, one cell per column. What `rows`
  // holds is looked at until Emit().
  Status Read(const Rows& rows);

  std::size_t size() const { return ids_.size(); }
  std::uint32_t id(std::size_t row) const { return ids_[row]; }
  // NaN where the cell was NULL.
  double at(std::size_t row, std::size_t column) const {
    return values_[row * columns_.size() + column];
  }
  // Replaces a value, of a column that Read() found NULL.
  void Set(std::size_t row, std::size_t column, double value) {
    values_[row * columns_.size() + column] = value;
  }
  bool listed(std::size_t row) const { return listed_[row]; }
  // The labels after the first.
  std::string_view label(std::size_t row, std::size_t i) const {
    return names_[row * (labels_.size() - 1) + i];
  }

  // Adds the series of the last Read().
  void Emit(std::string_view first_label, Batch& batch) const;

 private:
  void Choose();
  double Activity(std::size_t row) const;
  double OtherSum(std::size_t column) const;

  const std::span<const std::string_view> labels_;
  const std::span<const FoldedColumn> columns_;
  const std::size_t max_;
  std::unordered_map<std::uint32_t, bool> chosen_;  // ids listed; the value: seen in this reading

  // One reading, row by row.
  std::vector<std::uint32_t> ids_;
  std::vector<std::string_view> names_;
  std::vector<double> values_;
  std::vector<bool> listed_;
  std::size_t others_ = 0;
};

}  // namespace vigia::collectors::postgres
