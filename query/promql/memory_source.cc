#include "query/promql/memory_source.h"

#include <algorithm>
#include <set>

#include "query/promql/regex.h"

namespace vigia::promql {

class MemorySource::Series final : public StoredSeries {
 public:
  explicit Series(Labels labels) : labels_(std::move(labels)) {}

  const Labels& labels() const override { return labels_; }

  Status Read(Timestamp from, Timestamp to, Columns& out) const override {
    const auto begin = std::lower_bound(samples_.times.begin(), samples_.times.end(), from);
    const auto end = std::upper_bound(begin, samples_.times.end(), to);
    out.times.insert(out.times.end(), begin, end);
    const auto first = samples_.values.begin() + (begin - samples_.times.begin());
    out.values.insert(out.values.end(), first, first + (end - begin));
    return Ok();
  }

  void Add(Timestamp time, double value) {
    const auto at = std::lower_bound(samples_.times.begin(), samples_.times.end(), time);
    const auto offset = at - samples_.times.begin();
    if (at != samples_.times.end() && *at == time) {
      samples_.values[static_cast<std::size_t>(offset)] = value;
      return;
    }
    samples_.times.insert(at, time);
    samples_.values.insert(samples_.values.begin() + offset, value);
  }

  bool Overlaps(TimeRange range) const {
    return samples_.size() > 0 && samples_.times.front() <= range.to &&
           samples_.times.back() >= range.from;
  }

 private:
  const Labels labels_;
  Columns samples_;
};

// Matchers with their regular expressions compiled.
class MemorySource::Filter {
 public:
  explicit Filter(std::span<const Matcher> matchers) : matchers_(matchers) {
    for (const auto& matcher : matchers) {
      regexes_.push_back(Regex::CompileAnchored(matcher.value, Semantics::kPrometheus3));
    }
  }

  bool Fits(const Labels& labels) const {
    for (std::size_t i = 0; i < matchers_.size(); ++i) {
      const auto& matcher = matchers_[i];
      const auto value = labels.Get(matcher.name);
      const bool negated =
          matcher.op == Matcher::Op::kNotEqual || matcher.op == Matcher::Op::kNotRegex;
      const bool plain = matcher.op == Matcher::Op::kEqual || matcher.op == Matcher::Op::kNotEqual;
      const bool fits = plain ? value == matcher.value : regexes_[i] && regexes_[i]->Matches(value);
      if (fits == negated) return false;
    }
    return true;
  }

 private:
  const std::span<const Matcher> matchers_;
  std::vector<Result<Regex>> regexes_;
};

bool Fits(const Labels& labels, std::span<const Matcher> matchers) {
  return std::all_of(matchers.begin(), matchers.end(), [&](const Matcher& matcher) {
    return FitsValue(matcher, labels.Get(matcher.name), Semantics::kPrometheus3);
  });
}

void MemorySource::Add(const Labels& labels, Timestamp time, double value) {
  auto& series = series_[labels];
  if (!series) {
    series = std::make_shared<Series>(labels);
    by_name_[std::string(labels.MetricName())].emplace(labels, series);
  }
  series->Add(time, value);
}

void MemorySource::Clear() {
  series_.clear();
  by_name_.clear();
}

template <typename Visit>
void MemorySource::ForEach(std::span<const Matcher> matchers, Visit&& visit) const {
  const Filter filter(matchers);
  const Table* table = &series_;
  for (const auto& matcher : matchers) {
    if (matcher.op != Matcher::Op::kEqual || matcher.name != kMetricName) continue;
    const auto named = by_name_.find(matcher.value);
    if (named == by_name_.end()) return;
    table = &named->second;
  }
  for (const auto& [labels, series] : *table) {
    if (filter.Fits(labels)) visit(labels, series);
  }
}

std::vector<Labels> MemorySource::Matching(std::span<const Matcher> matchers) const {
  std::vector<Labels> out;
  ForEach(matchers, [&](const Labels& labels, const auto&) { out.push_back(labels); });
  return out;
}

Result<std::vector<std::shared_ptr<const StoredSeries>>> MemorySource::Select(
    std::span<const Matcher> matchers, TimeRange range) const {
  std::vector<std::shared_ptr<const StoredSeries>> out;
  ForEach(matchers, [&](const Labels&, const std::shared_ptr<Series>& series) {
    if (series->Overlaps(range)) out.push_back(series);
  });
  return out;
}

Result<std::vector<std::string>> MemorySource::LabelNames(std::span<const Matcher> matchers,
                                                          TimeRange) const {
  std::set<std::string> names;
  for (const auto& labels : Matching(matchers)) {
    for (const auto label : labels) names.emplace(label.name);
  }
  return std::vector<std::string>(names.begin(), names.end());
}

Result<std::vector<std::string>> MemorySource::LabelValues(std::string_view label,
                                                           std::span<const Matcher> matchers,
                                                           TimeRange) const {
  std::set<std::string> values;
  for (const auto& labels : Matching(matchers)) {
    if (labels.Has(label)) values.emplace(labels.Get(label));
  }
  return std::vector<std::string>(values.begin(), values.end());
}

Result<SeriesSink::Outcome> MemorySource::Append(std::span<const Entry> entries) {
  for (const auto& [labels, sample] : entries) Add(labels, sample.time, sample.value);
  return Outcome{.stored = entries.size()};
}

}  // namespace vigia::promql
