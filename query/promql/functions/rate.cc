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

void Extrapolate(const WindowInput& in, std::span<double> out, bool counter, bool per_second) {
  const bool is2 = in.context.is2();
  std::vector<std::uint32_t> resets;
  if (counter) resets = Breaks(in.values, [](double before, double now) { return now < before; });
  BreaksInWindow resets_in_window(resets);
  ForEachWindow(in, out, 2, [&](Window window, std::size_t step) {
    const std::size_t last = window.end - 1;
    const double first_value = in.values[window.begin];
    double result = in.values[last] - first_value;
    for (const auto reset : resets_in_window.In(window)) result += in.values[reset - 1];
    const Timestamp start = in.ends[step] - in.length;
    Gaps gaps{Seconds(in.times[window.begin] - start), Seconds(in.ends[step] - in.times[last]),
              Seconds(in.times[last] - in.times[window.begin]), 0};
    gaps.average = gaps.sampled / static_cast<double>(window.size() - 1);
    const double stretched = is2 ? Stretch2(gaps, counter, first_value, result)
                                 : Stretch3(gaps, counter, first_value, result);
    double factor = stretched / gaps.sampled;
    if (per_second) factor /= Seconds(in.length);
    return result * factor;
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
