#include "query/promql/value.h"

#include <algorithm>
#include <numeric>

namespace vigia::promql {

Matrix::Matrix(Vector vector, Steps steps) : vector_(std::move(vector)), steps_(steps) {
  vector_.RemoveDroppedNames();
  for (std::size_t row = 0; row < vector_.rows(); ++row) {
    const auto values = vector_.Row(row);
    if (std::any_of(values.begin(), values.end(), IsPresent)) order_.push_back(row);
  }
  const auto before = [this](std::size_t a, std::size_t b) {
    return vector_.labels[a] < vector_.labels[b];
  };
  if (!std::is_sorted(order_.begin(), order_.end(), before)) {
    std::sort(order_.begin(), order_.end(), before);
  }
}

Matrix::Matrix(std::vector<Series> series) : series_(std::move(series)), order_(series_.size()) {
  std::iota(order_.begin(), order_.end(), 0);
  std::sort(order_.begin(), order_.end(),
            [this](std::size_t a, std::size_t b) { return series_[a].labels < series_[b].labels; });
}

const Labels& Matrix::labels(std::size_t i) const {
  return series_.empty() ? vector_.labels[order_[i]] : series_[order_[i]].labels;
}

std::size_t Matrix::SampleCount(std::size_t i) const {
  std::size_t count = 0;
  ForEachSample(i, [&](Timestamp, double) { ++count; });
  return count;
}

}  // namespace vigia::promql
