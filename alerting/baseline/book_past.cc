// How the Book learns from the past: from the history, and from what others remember.

#include <algorithm>

#include "alerting/baseline/book.h"

namespace vigia::alerting::baseline {
namespace {

// So few steps at least, where all of the history is too much at once.
constexpr std::int64_t kMinSteps = 100;
// A past that goes back less far than this beyond what is known is not worth a change.
constexpr std::int64_t kWorthwhile = 86'400;

// After a past that was read in larger steps than the present is.
void GoOn(Detector& detector, std::int64_t interval) {
  detector.ReadEvery(static_cast<double>(interval) / 1000,
                     static_cast<double>(PastStep(interval)) / 1000);
}

}  // namespace

void Book::BackFill(Baseline& baseline, Timestamp now) {
  baseline.filled = true;
  const auto& name = baseline.definition.name;
  const auto first = stored_.lower_bound({name, ""});
  if (first != stored_.end() && first->first.first == name) return;
  const auto interval = baseline.definition.interval.count();
  const auto ask = [&](std::int64_t steps) {
    const auto past = PastBefore(now, interval, steps);
    return parts_.engine.Range(parts_.source, *baseline.definition.query, past.from, past.to,
                               Milliseconds(past.step));
  };
  auto answer = ask(kMaxPastSteps);
  for (auto steps = kMaxPastSteps / 2; !answer && steps >= kMinSteps; steps /= 2) {
    answer = ask(steps);
  }
  if (!answer) {
    ++baseline.report.failures;
    baseline.report.last_error = "the past: " + answer.error().message;
    return;
  }
  for (std::size_t i = 0; i < answer->value.size(); ++i) {
    const auto labels = WithoutName(answer->value.labels(i));
    auto* const tracked = Track(baseline, labels, labels.ToString());
    if (tracked == nullptr) continue;
    answer->value.ForEachSample(i, [&](Timestamp time, double value) {
      const bool learn = !parts_.learns || parts_.learns(time);
      tracked->verdict = tracked->detector.Step(time / 1000, value, learn);
    });
    GoOn(tracked->detector, interval);
  }
}

std::vector<Definition> Book::Lacking() const {
  const std::lock_guard lock(mutex_);
  std::vector<Definition> out;
  for (const auto& [name, baseline] : baselines_) {
    const bool lacks = std::any_of(baseline.series.begin(), baseline.series.end(), [](auto& one) {
      return one.second.verdict.state == State::kLearning;
    });
    if (baseline.filled && (lacks || baseline.series.empty())) out.push_back(baseline.definition);
  }
  return out;
}

void Book::AddRecent(const Definition& definition, Past& past, Timestamp now) const {
  std::int64_t newest = 0;
  for (const auto& [key, detector] : past.detectors()) {
    newest = std::max(newest, detector.last_time());
  }
  if (newest == 0) return;
  const auto interval = definition.interval.count();
  const auto start = newest * 1000 / interval * interval + interval;
  if (start > now) return;
  const auto step = (now - start) / interval <= kMaxPastSteps ? interval : PastStep(interval);
  const auto recent =
      parts_.engine.Range(parts_.source, *definition.query, start, now, Milliseconds(step));
  if (!recent) return;  // what is missing is short against the past
  for (std::size_t i = 0; i < recent->value.size(); ++i) {
    const auto labels = WithoutName(recent->value.labels(i));
    recent->value.ForEachSample(
        i, [&](Timestamp time, double value) { past.Add(labels, time, value); });
  }
}

std::size_t Book::TakePast(const Definition& definition, Past past, Timestamp now) {
  // Not under the lock: it may take long.
  AddRecent(definition, past, now);
  const std::lock_guard lock(mutex_);
  const auto found = baselines_.find(definition.name);
  if (found == baselines_.end() || found->second.definition.expression != definition.expression) {
    return 0;
  }
  auto& baseline = found->second;
  std::size_t count = 0;
  auto known = CountKnown(baseline);
  for (auto [text, detector] : past.detectors()) {
    GoOn(detector, definition.interval.count());
    const Key key{definition.name, text};
    const auto tracked = baseline.series.find(text);
    if (tracked == baseline.series.end()) {
      if (stored_.contains(key) || known >= baseline.definition.max_series) continue;
      ++known;
      stored_[key] = detector.Save();
      imported_.insert(key);
    } else {
      auto& own = tracked->second;
      const bool further = own.detector.rows() == 0 ||
                           detector.first_time() + kWorthwhile < own.detector.first_time();
      if (own.verdict.state != State::kLearning || !further) continue;
      own.detector = detector;
      own.detector.SetOptions(baseline.definition.options);
      own.dirty = true;
    }
    ++count;
  }
  return count;
}

}  // namespace vigia::alerting::baseline
