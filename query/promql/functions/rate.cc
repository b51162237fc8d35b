// Counters and differences.

#include <cmath>
#include <functional>
#include <vector>

#include "query/promql/functions/implementations.h"

namespace vigia::promql {
namespace {

// Indices i at which `broken(values[i - 1], values[i])`, ascending.
template <typename Broken>
std::vector<std::uint32_t> Breaks(std::span<const double> values, Broken broken) {
  std::vector<std::uint32_t> breaks;
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (broken(values[i - 1], values[i])) breaks.push_back(static_cast<std::uint32_t>(i));
  }
  return breaks;
}

// Walks along breaks as a window slides; the breaks inside a window are those behind its first
// sample.
class BreaksInWindow {
 public:
  explicit BreaksInWindow(const std::vector<std::uint32_t>& breaks) : breaks_(breaks) {}

  std::span<const std::uint32_t> In(Window window) {
    while (end_ < breaks_.size() && breaks_[end_] < window.end) ++end_;
    while (begin_ < end_ && breaks_[begin_] <= window.begin) ++begin_;
    return {breaks_.data() + begin_, end_ - begin_};
  }

 private:
  const std::vector<std::uint32_t>& breaks_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

struct Gaps {
  double to_start;  // seconds from the window's start to its first sample
  double to_end;
  double sampled;  // seconds between the first and the last sample
  double average;  // between two samples
};

// How far to extrapolate beyond the samples: to the window's bounds if a sample would have been
// expected there, else by half an interval; and never below a counter's zero.
double Stretch3(const Gaps& gaps, bool counter, double first, double increase) {
  const double threshold = gaps.average * 1.1;
  double to_start = gaps.to_start >= threshold ? gaps.average / 2 : gaps.to_start;
  if (counter) {
    double to_zero = to_start;
    if (increase > 0 && first >= 0) to_zero = gaps.sampled * (first / increase);
    if (to_zero < to_start) to_start = to_zero;
  }
  const double to_end = gaps.to_end >= threshold ? gaps.average / 2 : gaps.to_end;
  return gaps.sampled + to_start + to_end;
}

double Stretch2(const Gaps& gaps, bool counter, double first, double increase) {
  double to_start = gaps.to_start;
  if (counter && increase > 0 && first >= 0) {
    const double to_zero = gaps.sampled * (first / increase);
    if (to_zero < to_start) to_start = to_zero;
  }
  const double threshold = gaps.average * 1.1;
  double stretched = gaps.sampled;
  stretched += to_start < threshold ? to_start : gaps.average / 2;
  stretched += gaps.to_end < threshold ? gaps.to_end : gaps.average / 2;
  return stretched;
}

double Seconds(std::int64_t milliseconds) { return static_cast<double>(milliseconds) / 1000; }

// What a window's times say of its increase, whatever the values: found once for all series that
// have their samples at these times.
class Extrapolation {
 public:
  Extrapolation(const WindowInput& in, bool counter, bool per_second)
      : in_(in), is2_(in.context.is2()), counter_(counter), per_second_(per_second) {
    if (!in.memo.empty()) return;
    in.memo.resize(kColumns * in.windows.size());
    for (std::size_t step = 0; step < in.windows.size(); ++step) {
      if (in.windows[step].size() < 2) continue;
      const Gaps gaps = GapsOf(step);
      double to_start = gaps.to_start;
      if (!is2_ && to_start >= gaps.average * 1.1) to_start = gaps.average / 2;
      double* const at = At(step);
      at[kToStart] = to_start;
      at[kSampled] = gaps.sampled;
      at[kFactor] = FactorOf(gaps, false, 0, 0);
    }
  }

  double Factor(std::size_t step, double first, double increase) const {
    const double* const at = At(step);
    if (!counter_ || !(increase > 0 && first >= 0)) return at[kFactor];
    // Zero lay first / increase * sampled seconds back; where that is clearly too far, which it is
    // for most counters, the quotient is not needed.
    constexpr double kClearly = 1 + 1e-9;
    if (first * at[kSampled] > at[kToStart] * increase * kClearly) {
      return at[kFactor];
    }
    return FactorOf(GapsOf(step), true, first, increase);
  }

 private:
  // Per window: seconds from its start to where values are taken to begin, seconds from its first
  // sample to the last, and by what the increase is multiplied if a counter's zero is further away.
  enum Column : std::size_t { kToStart, kSampled, kFactor, kColumns };

  double* At(std::size_t step) const { return in_.memo.data() + kColumns * step; }

  Gaps GapsOf(std::size_t step) const {
    const Window window = in_.windows[step];
    const std::size_t last = window.end - 1;
    const Timestamp start = in_.ends[step] - in_.length;
    Gaps gaps{Seconds(in_.times[window.begin] - start), Seconds(in_.ends[step] - in_.times[last]),
              Seconds(in_.times[last] - in_.times[window.begin]), 0};
    gaps.average = gaps.sampled / static_cast<double>(window.size() - 1);
    return gaps;
  }

  double FactorOf(const Gaps& gaps, bool counter, double first, double increase) const {
    const double stretched =
        is2_ ? Stretch2(gaps, counter, first, increase) : Stretch3(gaps, counter, first, increase);
    const double factor = stretched / gaps.sampled;
    return per_second_ ? factor / Seconds(in_.length) : factor;
  }

  const WindowInput& in_;
  const bool is2_;
  const bool counter_;
  const bool per_second_;
};

void Extrapolate(const WindowInput& in, std::span<double> out, bool counter, bool per_second) {
  std::vector<std::uint32_t> resets;
  if (counter) resets = Breaks(in.values, [](double before, double now) { return now < before; });
  BreaksInWindow resets_in_window(resets);
  const Extrapolation extrapolation(in, counter, per_second);
  ForEachWindow(in, out, 2, [&](Window window, std::size_t step) {
    const double first = in.values[window.begin];
    double result = in.values[window.end - 1] - first;
    for (const auto reset : resets_in_window.In(window)) result += in.values[reset - 1];
    return result * extrapolation.Factor(step, first, result);
  });
}

void LastDifference(const WindowInput& in, std::span<double> out, bool counter) {
  ForEachWindow(in, out, 2, [&](Window window, std::size_t) {
    const std::size_t last = window.end - 1;
    const double before = in.values[last - 1];
    const double now = in.values[last];
    double result = counter && now < before ? now : now - before;
    if (counter) result /= Seconds(in.times[last] - in.times[last - 1]);
    return result;
  });
}

template <typename Broken>
void CountBreaks(const WindowInput& in, std::span<double> out, Broken broken) {
  const auto breaks = Breaks(in.values, broken);
  BreaksInWindow in_window(breaks);
  ForEachWindow(in, out, 1, [&](Window window, std::size_t) {
    return static_cast<double>(in_window.In(window).size());
  });
}

}  // namespace

void Rate(const WindowInput& in, std::span<double> out) { Extrapolate(in, out, true, true); }
void Increase(const WindowInput& in, std::span<double> out) { Extrapolate(in, out, true, false); }
void Delta(const WindowInput& in, std::span<double> out) { Extrapolate(in, out, false, false); }
void InstantRate(const WindowInput& in, std::span<double> out) { LastDifference(in, out, true); }
void InstantDelta(const WindowInput& in, std::span<double> out) { LastDifference(in, out, false); }

void Resets(const WindowInput& in, std::span<double> out) {
  CountBreaks(in, out, [](double before, double now) { return now < before; });
}

void Changes(const WindowInput& in, std::span<double> out) {
  CountBreaks(in, out, [](double before, double now) {
    return now != before && !(std::isnan(now) && std::isnan(before));
  });
}

}  // namespace vigia::promql
