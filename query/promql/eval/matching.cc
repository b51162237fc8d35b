#include "query/promql/eval/matching.h"

#include <algorithm>

namespace vigia::promql {

Signatures::Signatures(std::vector<std::string> names, bool on)
    : names_(std::move(names)), on_(on) {
  if (!on_) names_.emplace_back(kMetricName);
  std::sort(names_.begin(), names_.end());
}

bool Signatures::Counts(std::string_view label) const {
  // Linear: names number in the ones.
  return (std::find(names_.begin(), names_.end(), label) != names_.end()) == on_;
}

// Labels come sorted, so equal sets make equal keys; the bytes between cannot occur in UTF-8.
void Signatures::AppendKey(const Labels& labels, bool name_dropped) {
  for (const auto [name, value] : labels) {
    if (!Counts(name) || (name_dropped && name == kMetricName)) continue;
    ((key_ += name) += '\xff') += value;
    key_ += '\xfe';
  }
}

std::vector<std::uint32_t> Signatures::Of(const Vector& vector) {
  std::vector<std::uint32_t> out;
  out.reserve(vector.rows());
  for (const auto& labels : vector.labels) {
    key_.clear();
    AppendKey(labels, vector.name_dropped);
    const auto at = numbers_.find(std::string_view(key_));
    if (at != numbers_.end()) {
      out.push_back(at->second);
    } else {
      const auto number = static_cast<std::uint32_t>(numbers_.size());
      numbers_.emplace(key_, number);
      out.push_back(number);
    }
  }
  return out;
}

Labels Signatures::LabelsOf(const Vector& vector, std::size_t row) const {
  std::vector<LabelView> kept;
  for (const auto label : vector.labels[row]) {
    if (vector.name_dropped && label.name == kMetricName) continue;
    if (Counts(label.name)) kept.push_back(label);
  }
  return Labels::FromSorted(kept);
}

}  // namespace vigia::promql
