#include "collectors/postgres/fold.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "collectors/postgres/subject.h"
#include "core/sample.h"

namespace vigia::collectors::postgres {
namespace {
constexpr std::size_t kMaxLabels = 4;
}  // namespace

FoldedTable::FoldedTable(std::span<const std::string_view> labels,
                         std::span<const FoldedColumn> columns, std::size_t max)
    : labels_(labels), columns_(columns), max_(max) {}

Status FoldedTable::Read(const Rows& rows) {
  ids_.clear();
  names_.clear();
  values_.clear();
  values_.reserve(rows.size() * columns_.size());
  const std::size_t first_value = labels_.size();
  auto status = rows.ForEach([&](Row row) -> Status {
    const auto id = ParseNumber(row[0].text);
    if (!id) return Fail(id.error());
    ids_.push_back(static_cast<std::uint32_t>(*id));
    for (std::size_t i = 1; i < first_value; ++i) names_.push_back(row[i].text);
    for (const auto& cell : row.subspan(first_value)) {
      if (cell.null) {
        values_.push_back(kNaN);
        continue;
      }
      const auto number = ParseNumber(cell.text);
      if (!number) return Fail(number.error());
      values_.push_back(*number);
    }
    return Ok();
  });
  if (!status) {
    ids_.clear();
    return status;
  }
  Choose();
  return Ok();
}

double FoldedTable::Activity(std::size_t row) const {
  double sum = 0;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const double value = at(row, c);
    if (columns_[c].activity && !std::isnan(value)) sum += value;
  }
  return sum;
}

void FoldedTable::Choose() {
  others_ = 0;
  listed_.assign(size(), true);
  if (size() <= max_) {
    chosen_.clear();
    for (const auto id : ids_) chosen_.emplace(id, true);
    return;
  }
  for (auto& [id, seen] : chosen_) seen = false;
  std::vector<std::pair<double, std::size_t>> candidates;
  for (std::size_t row = 0; row < size(); ++row) {
    const auto at = chosen_.find(ids_[row]);
    listed_[row] = at != chosen_.end();
    if (listed_[row]) {
      at->second = true;
    } else {
      candidates.emplace_back(Activity(row), row);
    }
  }
  std::erase_if(chosen_, [](const auto& entry) { return !entry.second; });
  const std::size_t free = chosen_.size() < max_ ? max_ - chosen_.size() : 0;
  const auto middle =
      candidates.begin() + static_cast<std::ptrdiff_t>(std::min(free, candidates.size()));
  std::partial_sort(candidates.begin(), middle, candidates.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  for (auto at = candidates.begin(); at != middle; ++at) {
    listed_[at->second] = true;
    chosen_.emplace(ids_[at->second], true);
  }
  others_ = size() - chosen_.size();
}

double FoldedTable::OtherSum(std::size_t column) const {
  double sum = kNaN;
  for (std::size_t row = 0; row < size(); ++row) {
    if (listed_[row]) continue;
    const double value = at(row, column);
    if (std::isnan(value)) continue;
    sum = std::isnan(sum) ? value : sum + value;
  }
  return sum;
}

void FoldedTable::Emit(std::string_view first_label, Batch& batch) const {
  std::array<LabelView, kMaxLabels> labels;
  const std::span<const LabelView> used(labels.data(), labels_.size());
  for (std::size_t i = 0; i < labels_.size(); ++i) labels[i].name = labels_[i];
  labels[0].value = first_label;
  // Family by family: the batch then need not look the family up for each sample.
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const auto& column = columns_[c];
    for (std::size_t row = 0; row < size(); ++row) {
      const double value = at(row, c);
      if (!listed_[row] || std::isnan(value)) continue;
      for (std::size_t i = 1; i < labels_.size(); ++i) labels[i].value = label(row, i - 1);
      batch.Add(column.metric, used, value);
    }
    if (others_ == 0 || !column.sums) continue;
    const double sum = OtherSum(c);
    if (std::isnan(sum)) continue;
    for (std::size_t i = 1; i < labels_.size(); ++i) labels[i].value = kOther;
    batch.Add(column.metric, used, sum);
  }
}

}  // namespace vigia::collectors::postgres
