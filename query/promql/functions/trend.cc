// Least squares and exponential smoothing.

#include <cmath>
#include <cstdio>

#include "query/promql/functions/implementations.h"
#include "query/promql/functions/kahan.h"

namespace vigia::promql {
namespace {

struct Line {
  double slope;
  double intercept;  // at the time that was asked for
};

template <bool kGuard>
Line Regression(std::span<const Timestamp> times, std::span<const double> values,
                Timestamp intercept_time) {
  KahanSum sum_x;
  KahanSum sum_y;
  KahanSum sum_xy;
  KahanSum sum_x2;
  bool constant = true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0 && values[i] != values[0]) constant = false;
    const double x = static_cast<double>(times[i] - intercept_time) / 1e3;
    sum_x.Add<kGuard>(x);
    sum_y.Add<kGuard>(values[i]);
    sum_xy.Add<kGuard>(x * values[i]);
    sum_x2.Add<kGuard>(x * x);
  }
  if (constant) {
    if (std::isinf(values[0])) return {kNaN, kNaN};
    return {0, values[0]};
  }
  const auto n = static_cast<double>(values.size());
  const double x = sum_x.value();
  const double y = sum_y.value();
  const double covariance = sum_xy.value() - x * y / n;
  const double variance = sum_x2.value() - x * x / n;
  const double slope = covariance / variance;
  return {slope, y / n - slope * x / n};
}

Line Regression(const WindowInput& in, Window window, Timestamp intercept_time) {
  const auto times = in.Times(window);
  const auto values = in.Values(window);
  return in.context.is2() ? Regression<false>(times, values, intercept_time)
                          : Regression<true>(times, values, intercept_time);
}

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
  ForEachWindow(in, out, 2, [&](Window window, std::size_t) {
    // Near the samples, for the sake of accuracy.
    return Regression(in, window, in.times[window.begin]).slope;
  });
}

void PredictLinear(const WindowInput& in, std::span<double> out) {
  ForEachWindow(in, out, 2, [&](Window window, std::size_t step) {
    const Line line = Regression(in, window, in.steps.At(step));
    return line.slope * in.scalars[0][step] + line.intercept;
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
