#include "query/promql/eval/vector.h"

#include <algorithm>
#include <unordered_map>

namespace vigia::promql {

std::span<double> Vector::Append(Labels series) {
  labels.push_back(std::move(series));
  values.resize(labels.size() * steps, Absent());
  return Row(labels.size() - 1);
}

void Vector::Append(const Vector& other, std::size_t row) {
  labels.push_back(other.LabelsOf(row));
  const auto source = other.Row(row);
  values.insert(values.end(), source.begin(), source.end());
}

Labels WithoutName(const Labels& labels) {
  if (!labels.Has(kMetricName)) return labels;
  std::vector<LabelView> kept;
  kept.reserve(labels.size());
  for (const auto label : labels) {
    if (label.name != kMetricName) kept.push_back(label);
  }
  return Labels::FromSorted(kept);
}

Labels Vector::LabelsOf(std::size_t row) const {
  return name_dropped ? WithoutName(labels[row]) : labels[row];
}

std::string_view Vector::LabelOf(std::size_t row, std::string_view name) const {
  if (name_dropped && name == kMetricName) return {};
  return labels[row].Get(name);
}

void Vector::RemoveDroppedNames() {
  if (!name_dropped) return;
  for (auto& series : labels) series = WithoutName(series);
  name_dropped = false;
}

std::size_t Vector::CountPresent() const {
  std::size_t absent = 0;
  for (const double value : values) absent += IsAbsent(value) ? 1U : 0U;
  return values.size() - absent;
}

namespace {

bool HasEqualRows(const Vector& vector) {
  std::vector<std::uint64_t> hashes;
  hashes.reserve(vector.rows());
  for (const auto& series : vector.labels) hashes.push_back(series.Hash());
  std::sort(hashes.begin(), hashes.end());
  return std::adjacent_find(hashes.begin(), hashes.end()) != hashes.end();
}

}  // namespace

QueryStatus MergeEqualRows(Vector& vector, bool only_check) {
  if (vector.rows() < 2 || (vector.name_dropped && vector.unique_without_name)) return {};
  vector.RemoveDroppedNames();
  if (!HasEqualRows(vector)) return {};
  std::unordered_map<Labels, std::size_t> kept;
  Vector merged(vector.steps);
  for (std::size_t row = 0; row < vector.rows(); ++row) {
    const auto [at, added] = kept.try_emplace(vector.labels[row], merged.rows());
    if (added) {
      merged.Append(vector, row);
      continue;
    }
    if (only_check) return ExecutionError(std::string(kSameLabelset));
    const auto into = merged.Row(at->second);
    const auto from = vector.Row(row);
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (IsAbsent(from[i])) continue;
      if (IsPresent(into[i])) return ExecutionError(std::string(kSameLabelset));
      into[i] = from[i];
    }
  }
  vector = std::move(merged);
  return {};
}

}  // namespace vigia::promql
