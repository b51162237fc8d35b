// What a query answers.

#pragma once

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "core/labels.h"
#include "core/sample.h"
#include "core/series.h"
#include "query/promql/eval/steps.h"
#include "query/promql/eval/vector.h"

namespace vigia::promql {

struct ScalarValue {
  Timestamp time = 0;
  double value = 0;
};

struct StringValue {
  Timestamp time = 0;
  std::string value;
};

struct InstantSample {
  Labels labels;
  Timestamp time = 0;
  double value = 0;
};
// In the order that sort() and topk() give.
using InstantVector = std::vector<InstantSample>;

// Series with their samples, sorted by labels; every series has at least one.
//
// Of a range query the samples stay where they were computed, a row per series with gaps; so
// they are read by ForEachSample.
class Matrix {
 public:
  struct Series {
    Labels labels;
    Columns samples;
  };

  Matrix() = default;
  // Rows without samples are left out.
  Matrix(Vector vector, Steps steps);
  explicit Matrix(std::vector<Series> series);

  std::size_t size() const { return order_.size(); }
  const Labels& labels(std::size_t i) const;
  std::size_t SampleCount(std::size_t i) const;

  // The steps of a range query's answer; null for samples at times of their own.
  const Steps* steps() const { return series_.empty() ? &steps_ : nullptr; }
  // Calls visit(step, double) for each sample, of a range query's answer.
  template <typename Visit>
  void ForEachCell(std::size_t i, Visit&& visit) const {
    const auto values = vector_.Row(order_[i]);
    for (std::size_t step = 0; step < values.size(); ++step) {
      if (IsPresent(values[step])) visit(step, values[step]);
    }
  }

  // Calls visit(Timestamp, double) in the order of time.
  template <typename Visit>
  void ForEachSample(std::size_t i, Visit&& visit) const {
    const std::size_t row = order_[i];
    if (!series_.empty()) {
      const Columns& samples = series_[row].samples;
      for (std::size_t j = 0; j < samples.size(); ++j) visit(samples.times[j], samples.values[j]);
      return;
    }
    const auto values = vector_.Row(row);
    for (std::size_t j = 0; j < values.size(); ++j) {
      if (IsPresent(values[j])) visit(steps_.At(j), values[j]);
    }
  }

 private:
  Vector vector_;
  Steps steps_;
  std::vector<Series> series_;
  std::vector<std::size_t> order_;
};

using Value = std::variant<ScalarValue, StringValue, InstantVector, Matrix>;

}  // namespace vigia::promql
