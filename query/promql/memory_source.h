// A SeriesSource and SeriesSink in memory, as simple as can be: for unit tests of rules, queries
// over a file, and tests of the engine. Not thread-safe while it is filled.

#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/series.h"

namespace vigia::promql {

class MemorySource final : public SeriesSource, public SeriesSink {
 public:
  // In any order of time; a sample of the same series and time is replaced.
  void Add(const Labels& labels, Timestamp time, double value);
  void Clear();
  std::size_t size() const { return series_.size(); }
  // Labels of all series that fit.
  std::vector<Labels> Matching(std::span<const Matcher> matchers) const;

  Result<std::vector<std::shared_ptr<const StoredSeries>>> Select(std::span<const Matcher> matchers,
                                                                  TimeRange range) const override;
  Result<std::vector<std::string>> LabelNames(std::span<const Matcher> matchers,
                                              TimeRange range) const override;
  Result<std::vector<std::string>> LabelValues(std::string_view label,
                                               std::span<const Matcher> matchers,
                                               TimeRange range) const override;

  Result<Outcome> Append(std::span<const Entry> entries) override;

 private:
  class Series;
  class Filter;
  using Table = std::map<Labels, std::shared_ptr<Series>>;

  // Calls visit(labels, series) for all that fit, sorted by labels.
  template <typename Visit>
  void ForEach(std::span<const Matcher> matchers, Visit&& visit) const;

  Table series_;
  std::map<std::string, Table, std::less<>> by_name_;
};

// Whether `labels` fit all of `matchers`.
bool Fits(const Labels& labels, std::span<const Matcher> matchers);

}  // namespace vigia::promql
