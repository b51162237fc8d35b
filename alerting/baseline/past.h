// The Past of a baseline's series: detectors that learn from values of long ago, beside those of
// the Book, until the Book takes them (Book::TakePast).
//
// Not thread-safe.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "alerting/baseline/detector.h"
#include "core/labels.h"
#include "core/sample.h"

namespace vigia::alerting::baseline {

// How much of the past a baseline learns from: as long as season `auto` takes, and two days.
inline constexpr std::int64_t kPastLength = std::int64_t{16} * 86'400'000;  // milliseconds
// In so many steps at most: what Prometheus answers at once.
inline constexpr std::int64_t kMaxPastSteps = 11'000;

// The distance of the steps for a baseline that is evaluated every `interval` milliseconds: the
// least multiple of it with which the past is at most kMaxPastSteps long.
std::int64_t PastStep(std::int64_t interval);

// The past of a baseline that is evaluated at `now` for the first time: times from, from + step,
// ... up to `to`, in milliseconds; the last is one interval before its evaluation.
struct PastRange {
  Timestamp from = 0;
  Timestamp to = 0;
  std::int64_t step = 0;
};
PastRange PastBefore(Timestamp now, std::int64_t interval, std::int64_t steps = kMaxPastSteps);

// The labels of a series as a baseline has them.
Labels WithoutName(const Labels& labels);

class Past {
 public:
  // `learns` says whether what was seen at a time is learnt; empty: always.
  Past(const Detector::Options& options, std::size_t max_series,
       std::function<bool(Timestamp)> learns)
      : options_(options), max_series_(max_series), learns_(std::move(learns)) {}

  // A value of a series (without a name) at `time`; one that is not newer than the last one of the
  // series is left out. False over the budget of series.
  bool Add(const Labels& labels, Timestamp time, double value);

  // By the text of their labels.
  const std::map<std::string, Detector>& detectors() const { return detectors_; }

 private:
  const Detector::Options options_;
  const std::size_t max_series_;
  const std::function<bool(Timestamp)> learns_;
  std::map<std::string, Detector> detectors_;
  // Of the series that was added to last: values arrive series by series.
  Labels last_;
  Detector* last_detector_ = nullptr;
};

}  // namespace vigia::alerting::baseline
