#include "alerting/baseline/past.h"

#include <algorithm>

namespace vigia::alerting::baseline {

std::int64_t PastStep(std::int64_t interval) {
  const auto span = interval * kMaxPastSteps;
  return interval * std::max<std::int64_t>(1, (kPastLength + span - 1) / span);
}

PastRange PastBefore(Timestamp now, std::int64_t interval, std::int64_t steps) {
  const auto step = PastStep(interval);
  const auto to = now / interval * interval - interval;
  return {std::max<Timestamp>(0, to - steps * step), to, step};
}

Labels WithoutName(const Labels& labels) {
  LabelsBuilder builder(labels);
  return builder.Remove("__name__").Build();
}

bool Past::Add(const Labels& labels, Timestamp time, double value) {
  if (last_detector_ == nullptr || labels != last_) {
    auto key = labels.ToString();
    auto found = detectors_.find(key);
    if (found == detectors_.end()) {
      if (detectors_.size() >= max_series_) return false;
      found = detectors_.emplace(std::move(key), Detector(options_)).first;
    }
    last_ = labels;
    last_detector_ = &found->second;
  }
  auto& detector = *last_detector_;
  if (detector.rows() > 0 && time / 1000 <= detector.last_time()) return true;
  detector.Step(time / 1000, value, !learns_ || learns_(time));
  return true;
}

}  // namespace vigia::alerting::baseline
