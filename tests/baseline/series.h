// Series for the tests of baselines: an endpoint's latency, made up but never twice differently.

#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <vector>

namespace vigia::testing {

struct Point {
  std::int64_t time;
  double value;
};

// SplitMix64 (Steele, Lea, Flood 2014): the same numbers on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  double Uniform() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
  }
  double Normal() {
    return std::sqrt(-2.0 * std::log(1.0 - Uniform())) *
           std::cos(2.0 * std::numbers::pi * Uniform());
  }

 private:
  std::uint64_t state_;
};

inline constexpr std::int64_t kMonday = 1'704'067'200;  // 2024-01-01 00:00 UTC
inline constexpr std::int64_t kPerDay = 288;            // points of 5 minutes
inline constexpr std::int64_t kPerWeek = 7 * kPerDay;

// Points of 5 minutes: peaks at noon, quieter at the weekend, one outlier in 200 points; `factor`
// says how a point is changed.
inline std::vector<Point> Latency(
    std::uint64_t seed, std::int64_t points,
    const std::function<double(std::int64_t)>& factor = [](std::int64_t) { return 1.0; }) {
  Random random(seed);
  std::vector<Point> series;
  for (std::int64_t i = 0; i < points; ++i) {
    const double hour = static_cast<double>(i % kPerDay) / 12.0;
    const bool weekend = i / kPerDay % 7 >= 5;
    const double load =
        (weekend ? 0.5 : 1.0) * (0.6 + 0.4 * std::cos((hour - 12.0) * std::numbers::pi / 12.0));
    double value = 80.0 * (1.0 + 0.8 * load) * std::exp(0.1 * random.Normal());
    if (random.Uniform() < 0.005) value *= 2.0 + 6.0 * random.Uniform();
    series.push_back({kMonday + 300 * i, value * factor(i)});
  }
  return series;
}

}  // namespace vigia::testing
