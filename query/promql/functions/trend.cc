// Least squares and exponential smoothing.

#include <array>
#include <cmath>
#include <cstdio>
#include <vector>

#include "query/promql/functions/implementations.h"
#include "query/promql/functions/kahan.h"

namespace vigia::promql {
namespace {

struct Line {
  double slope;
  double intercept;  // at the time that was asked for
};

// Sums over a window's samples, x in seconds from where the intercept is asked for.
struct Sums {
  double x = 0;
  double x2 = 0;
  double y = 0;
  double xy = 0;
};

Line FitLine(const Sums& sums, std::size_t count) {
  const auto n = static_cast<double>(count);
  const double covariance = sums.xy - sums.x * sums.y / n;
  const double variance = sums.x2 - sums.x * sums.x / n;
  const double slope = covariance / variance;
  return {slope, sums.y / n - slope * sums.x / n};
}

double SecondsFrom(Timestamp origin, Timestamp time) {
  return static_cast<double>(time - origin) / 1e3;
}

template <bool kGuard>
Sums SumUp(std::span<const Timestamp> times, std::span<const double> values, Timestamp origin) {
  KahanSum x;
  KahanSum y;
  KahanSum xy;
  KahanSum x2;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double seconds = SecondsFrom(origin, times[i]);
    x.Add<kGuard>(seconds);
    y.Add<kGuard>(values[i]);
    xy.Add<kGuard>(seconds * values[i]);
    x2.Add<kGuard>(seconds * seconds);
  }
  return {x.value(), x2.value(), y.value(), xy.value()};
}

// KahanSum without its branches: both find the exact error of each addition, as long as nothing is
// infinite. So a loop over several windows becomes vector code.
struct ExactSum {
  double sum = 0;
  double compensation = 0;

  void Add(double value) {
    const double next = sum + value;
    const double added = next - sum;
    compensation += (sum - (next - added)) + (value - added);
    sum = next;
  }
  double value() const { return sum + compensation; }
};

// Lines through the samples of each window of a series.
class Regression {
 public:
  // Where intercepts are asked for: at the step, or at the window's first sample.
  enum class Origin { kStep, kFirstSample };

  Regression(const WindowInput& in, Origin origin) : in_(in), origin_(origin) {
    last_change_.reserve(in.values.size());
    std::uint32_t change = 0;
    for (std::uint32_t i = 0; i < in.values.size(); ++i) {
      if (i > 0 && in.values[i] != in.values[i - 1]) change = i;
      last_change_.push_back(change);
    }
    if (in_.memo.empty()) SumTimes();
  }

  // Calls set(step, Line) for every window of at least two samples.
  template <typename Set>
  void ForEachLine(Set&& set) {
    constexpr std::size_t kSamplesBetweenChecks = 4'000'000;
    std::size_t samples = 0;
    std::array<Sums, kLanes> sums;
    for (std::size_t step = 0; step < in_.windows.size();) {
      const std::size_t size = in_.windows[step].size();
      if (size < 2) {
        ++step;
        continue;
      }
      const std::size_t lanes = Alike(step) ? kLanes : 1;
      lanes == kLanes ? SumValues<kLanes>(step, sums) : SumValues<1>(step, sums);
      for (std::size_t lane = 0; lane < lanes; ++lane, ++step) set(step, LineOf(step, sums[lane]));
      samples += lanes * size;
      if (samples < kSamplesBetweenChecks) continue;
      samples = 0;
      if (auto status = in_.context.Check(); !status) return in_.context.Abort(status.error());
    }
  }

 private:
  static constexpr std::size_t kLanes = 4;
  // Beyond so many, the x of all windows are worked out again for each series.
  static constexpr std::size_t kMostKept = 128 * 1024;

  // The memo: per window the sums of x and x^2, and where in the memo its x begin.
  enum Column : std::size_t { kX, kX2, kBegin, kColumns };
  double* At(std::size_t step) const { return in_.memo.data() + kColumns * step; }
  bool keeps_x() const { return in_.memo.size() > kColumns * in_.windows.size(); }

  Timestamp OriginOf(std::size_t step) const {
    return origin_ == Origin::kStep ? in_.steps.At(step) : in_.times[in_.windows[step].begin];
  }

  void SumTimes() {
    std::size_t total = 0;
    for (const auto window : in_.windows) total += window.size();
    std::size_t next = kColumns * in_.windows.size();
    in_.memo.assign(next + (total <= kMostKept ? total : 0), 0);
    if (!keeps_x()) return;
    for (std::size_t step = 0; step < in_.windows.size(); ++step) {
      if (in_.windows[step].size() < 2) continue;
      KahanSum x;
      KahanSum x2;
      At(step)[kBegin] = static_cast<double>(next);
      for (const Timestamp time : in_.Times(in_.windows[step])) {
        const double seconds = SecondsFrom(OriginOf(step), time);
        x.Add(seconds);
        x2.Add(seconds * seconds);
        in_.memo[next++] = seconds;
      }
      At(step)[kX] = x.value();
      At(step)[kX2] = x2.value();
    }
  }

  // Whether the windows from here on are of the same size, and so are worked out side by side.
  bool Alike(std::size_t step) const {
    if (!keeps_x() || step + kLanes > in_.windows.size()) return false;
    for (std::size_t lane = 1; lane < kLanes; ++lane) {
      if (in_.windows[step + lane].size() != in_.windows[step].size()) return false;
    }
    return true;
  }

  template <std::size_t kCount>
  void SumValues(std::size_t step, std::array<Sums, kLanes>& sums) const {
    if (!keeps_x()) {
      sums[0] = SumExactly(step);
      return;
    }
    std::array<const double*, kCount> x;
    std::array<const double*, kCount> y;
    for (std::size_t lane = 0; lane < kCount; ++lane) {
      x[lane] = in_.memo.data() + static_cast<std::size_t>(At(step + lane)[kBegin]);
      y[lane] = in_.values.data() + in_.windows[step + lane].begin;
    }
    std::array<ExactSum, kCount> sum_y;
    std::array<ExactSum, kCount> sum_xy;
    const std::size_t size = in_.windows[step].size();
    for (std::size_t i = 0; i < size; ++i) {
      for (std::size_t lane = 0; lane < kCount; ++lane) {
        sum_y[lane].Add(y[lane][i]);
        sum_xy[lane].Add(x[lane][i] * y[lane][i]);
      }
    }
    for (std::size_t lane = 0; lane < kCount; ++lane) {
      const double* const at = At(step + lane);
      sums[lane] = {at[kX], at[kX2], sum_y[lane].value(), sum_xy[lane].value()};
      if (!std::isfinite(sums[lane].y) || !std::isfinite(sums[lane].xy)) {
        sums[lane] = SumExactly(step + lane);
      }
    }
  }

  // As Prometheus does it, for infinite values, too.
  Sums SumExactly(std::size_t step) const {
    const auto times = in_.Times(in_.windows[step]);
    const auto values = in_.Values(in_.windows[step]);
    return in_.context.is2() ? SumUp<false>(times, values, OriginOf(step))
                             : SumUp<true>(times, values, OriginOf(step));
  }

  Line LineOf(std::size_t step, const Sums& sums) const {
    const Window window = in_.windows[step];
    if (last_change_[window.end - 1] > window.begin) return FitLine(sums, window.size());
    const double value = in_.values[window.begin];
    if (std::isinf(value)) return {kNaN, kNaN};
    return {0, value};
  }

  const WindowInput& in_;
  const Origin origin_;
  std::vector<std::uint32_t> last_change_;  // per sample, the last that differs from its neighbour
};

double Smooth(std::span<const double> values, double smoothing, double trend_factor) {
  double before = 0;
  double level = values[0];
  double trend = values[1] - values[0];
  for (std::size_t i = 1; i < values.size(); ++i) {
    const double x = smoothing * values[i];
    if (i > 1) trend = trend_factor * (level - before) + (1 - trend_factor) * trend;
    const double y = (1 - smoothing) * (level + trend);
    before = level;
    level = x + y;
  }
  return level;
}

// NaN passes, as in Prometheus.
bool IsRefused(double value) { return value <= 0 || value >= 1; }

void Refuse(Context& context, const char* which, const char* symbol, double value) {
  char text[400];
  std::snprintf(text, sizeof text, "invalid %s factor. Expected: 0 < %s < 1, got: %f", which,
                symbol, value);
  context.Abort({QueryError::Kind::kExecution, text});
}

}  // namespace

void Derivative(const WindowInput& in, std::span<double> out) {
  // Near the samples, for the sake of accuracy.
  Regression(in, Regression::Origin::kFirstSample).ForEachLine([&](std::size_t step, Line line) {
    out[step] = line.slope;
  });
}

void PredictLinear(const WindowInput& in, std::span<double> out) {
  Regression(in, Regression::Origin::kStep).ForEachLine([&](std::size_t step, Line line) {
    out[step] = line.slope * in.scalars[0][step] + line.intercept;
  });
}

void DoubleExponentialSmoothing(const WindowInput& in, std::span<double> out) {
  for (std::size_t step = 0; step < out.size(); ++step) {
    const Window window = in.windows[step];
    if (window.size() == 0) continue;
    const double smoothing = in.scalars[0][step];
    const double trend = in.scalars[1][step];
    if (IsRefused(smoothing)) return Refuse(in.context, "smoothing", "sf", smoothing);
    if (IsRefused(trend)) return Refuse(in.context, "trend", "tf", trend);
    if (window.size() >= 2) out[step] = Smooth(in.Values(window), smoothing, trend);
  }
}

}  // namespace vigia::promql
