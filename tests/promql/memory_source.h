// A SeriesSource in memory, as simple as can be, to try the engine on. Not thread-safe while it
// is filled.

#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/series.h"

namespace vigia::promql::test {

class MemorySource final : public SeriesSource {
 public:
  // In any order of time; a sample of the same series and time is replaced.
  void Add(const Labels& labels, Timestamp time, double value);
  void Clear() { series_.clear(); }
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

 private:
  class Series;

  std::map<Labels, std::shared_ptr<Series>> series_;
};

// Whether `labels` fit all of `matchers`.
bool Fits(const Labels& labels, std::span<const Matcher> matchers);

}  // namespace vigia::promql::test
