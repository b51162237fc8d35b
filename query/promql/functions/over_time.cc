// <aggregation>_over_time.

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <vector>

#include "query/promql/format.h"
#include "query/promql/functions/implementations.h"
#include "query/promql/functions/kahan.h"
#include "query/promql/functions/quantile.h"

namespace vigia::promql {
namespace {

double Average3(std::span<const double> values) {
  KahanSum sum{values[0], 0};
  double mean = 0;
  bool incremental = false;
  double count = 1;
  for (std::size_t i = 1; i < values.size(); ++i) {
    count = static_cast<double>(i + 1);
    if (!incremental) {
      KahanSum next = sum;
      next.Add(values[i]);
      if (!std::isinf(next.sum)) {
        sum = next;
        continue;
      }
      // The sum would overflow: go on with the mean of what there is.
      incremental = true;
      mean = sum.sum / (count - 1);
      sum.compensation /= count - 1;
    }
    const double q = (count - 1) / count;
    KahanSum step{q * mean, q * sum.compensation};
    step.Add(values[i] / count);
    mean = step.sum;
    sum.compensation = step.compensation;
  }
  return incremental ? mean + sum.compensation : sum.sum / count + sum.compensation / count;
}

double Average2(std::span<const double> values) {
  KahanSum mean;
  double count = 0;
  for (const double value : values) {
    ++count;
    if (std::isinf(mean.sum)) {
      // An infinite mean stays, unless infinities of both signs or NaN make it NaN.
      if (std::isinf(value) && (mean.sum > 0) == (value > 0)) continue;
      if (std::isfinite(value)) continue;
    }
    mean.Add<false>(value / count - mean.sum / count);
  }
  return std::isinf(mean.sum) ? mean.sum : mean.value();
}

template <bool kGuard>
double Sum(std::span<const double> values) {
  KahanSum sum;
  for (const double value : values) sum.Add<kGuard>(value);
  return std::isinf(sum.sum) ? sum.sum : sum.value();
}

template <bool kGuard>
double Variance(std::span<const double> values) {
  double count = 0;
  KahanSum mean;
  KahanSum squares;
  for (const double value : values) {
    ++count;
    const double delta = value - mean.value();
    mean.Add<kGuard>(delta / count);
    squares.Add<kGuard>(delta * (value - mean.value()));
  }
  return squares.value() / count;
}

double Variance(const WindowInput& in, Window window) {
  const auto values = in.Values(window);
  return in.context.is2() ? Variance<false>(values) : Variance<true>(values);
}

// The sample of each window that wins over all others: `beats(new, old)` decides for later ones.
// A queue of candidates, each beaten by none that came after it, so a series costs a pass.
template <typename Beats, typename Result>
void Extreme(const WindowInput& in, std::span<double> out, Beats beats, Result result) {
  std::deque<std::uint32_t> candidates;
  std::uint32_t next = 0;
  ForEachWindow(in, out, 1, [&](Window window, std::size_t) {
    for (; next < window.end; ++next) {
      // NaN loses against everything, and never pushes anything out.
      const double value = in.values[next];
      while (!candidates.empty()) {
        const double old = in.values[candidates.back()];
        if (!std::isnan(old) && !beats(value, old)) break;
        if (std::isnan(value)) break;
        candidates.pop_back();
      }
      candidates.push_back(next);
    }
    while (candidates.front() < window.begin) candidates.pop_front();
    return result(window, candidates);
  });
}

double TimeInSeconds(Timestamp time) { return static_cast<double>(time) / 1000; }

}  // namespace

void SumOverTime(const WindowInput& in, std::span<double> out) {
  const auto sum = in.context.is2() ? Sum<false> : Sum<true>;
  ForEachWindow(in, out, 1, [&](Window window, std::size_t) { return sum(in.Values(window)); });
}

void AvgOverTime(const WindowInput& in, std::span<double> out) {
  const auto average = in.context.is2() ? Average2 : Average3;
  ForEachWindow(in, out, 1, [&](Window window, std::size_t) { return average(in.Values(window)); });
}

void MinOverTime(const WindowInput& in, std::span<double> out) {
  Extreme(in, out, std::less<double>(), [&](Window, const std::deque<std::uint32_t>& candidates) {
    return in.values[candidates.front()];
  });
}

void MaxOverTime(const WindowInput& in, std::span<double> out) {
  Extreme(in, out, std::greater<double>(),
          [&](Window, const std::deque<std::uint32_t>& candidates) {
            return in.values[candidates.front()];
          });
}

namespace {

// The time of the last of the extreme samples; of windows of nothing but NaN the last one's.
template <typename Beats>
void TimeOfExtreme(const WindowInput& in, std::span<double> out, Beats beats) {
  ForEachWindow(in, out, 1, [&](Window window, std::size_t) {
    std::uint32_t best = window.begin;
    for (std::uint32_t i = window.begin; i < window.end; ++i) {
      if (beats(in.values[i], in.values[best]) || std::isnan(in.values[best])) best = i;
    }
    return TimeInSeconds(in.times[best]);
  });
}

}  // namespace

void TimeOfMinOverTime(const WindowInput& in, std::span<double> out) {
  TimeOfExtreme(in, out, std::less_equal<double>());
}

void TimeOfMaxOverTime(const WindowInput& in, std::span<double> out) {
  TimeOfExtreme(in, out, std::greater_equal<double>());
}

void CountOverTime(const WindowInput& in, std::span<double> out) {
  ForEachWindow(in, out, 1,
                [](Window window, std::size_t) { return static_cast<double>(window.size()); });
}

void PresentOverTime(const WindowInput& in, std::span<double> out) {
  ForEachWindow(in, out, 1, [](Window, std::size_t) { return 1.0; });
}

void FirstOverTime(const WindowInput& in, std::span<double> out) {
  ForEachWindow(in, out, 1, [&](Window window, std::size_t) { return in.values[window.begin]; });
}

void LastOverTime(const WindowInput& in, std::span<double> out) {
  ForEachWindow(in, out, 1, [&](Window window, std::size_t) { return in.values[window.end - 1]; });
}

void TimeOfFirstOverTime(const WindowInput& in, std::span<double> out) {
  ForEachWindow(in, out, 1,
                [&](Window window, std::size_t) { return TimeInSeconds(in.times[window.begin]); });
}

void TimeOfLastOverTime(const WindowInput& in, std::span<double> out) {
  ForEachWindow(in, out, 1, [&](Window window, std::size_t) {
    return TimeInSeconds(in.times[window.end - 1]);
  });
}

void StddevOverTime(const WindowInput& in, std::span<double> out) {
  ForEachWindow(in, out, 1,
                [&](Window window, std::size_t) { return std::sqrt(Variance(in, window)); });
}

void StdvarOverTime(const WindowInput& in, std::span<double> out) {
  ForEachWindow(in, out, 1, [&](Window window, std::size_t) { return Variance(in, window); });
}

void QuantileOverTime(const WindowInput& in, std::span<double> out) {
  std::vector<double> values;
  double warned_of = 0.5;
  ForEachWindow(in, out, 1, [&](Window window, std::size_t step) {
    const double q = in.scalars[0][step];
    const bool same = q == warned_of || (std::isnan(q) && std::isnan(warned_of));
    if (!(q >= 0 && q <= 1) && !same && !in.context.is2()) {
      warned_of = q;
      in.context.annotations.Warn(
          "quantile value should be between 0 and 1, got " + FormatGeneral(q),
          in.call.args[0]->range);
    }
    const auto samples = in.Values(window);
    values.assign(samples.begin(), samples.end());
    return Quantile(q, values);
  });
}

void MadOverTime(const WindowInput& in, std::span<double> out) {
  std::vector<double> values;
  ForEachWindow(in, out, 1, [&](Window window, std::size_t) {
    const auto samples = in.Values(window);
    if (std::any_of(samples.begin(), samples.end(), [](double v) { return std::isnan(v); })) {
      return kNaN;
    }
    values.assign(samples.begin(), samples.end());
    const double median = Quantile(0.5, values);
    for (double& value : values) value = std::abs(value - median);
    return Quantile(0.5, values);
  });
}

}  // namespace vigia::promql
