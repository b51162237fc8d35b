// The quality of detection on made-up endpoints: a bound under which no change may fall. The
// figures on public data are in docs/detection.md.

#include <algorithm>
#include <catch2/catch.hpp>

#include "alerting/baseline/detector.h"
#include "tests/baseline/series.h"

using namespace vigia;
using namespace vigia::alerting::baseline;
using testing::kPerDay;
using testing::kPerWeek;

namespace {

constexpr std::int64_t kLearnt = 2 * kPerWeek;
constexpr std::uint64_t kSeeds = 10;

// Where regressions begin, in points.
std::vector<std::int64_t> Alarms(const std::vector<testing::Point>& series,
                                 const Detector::Options& options = {}) {
  Detector detector(options);
  std::vector<std::int64_t> alarms;
  State before = State::kOk;
  for (const auto& [time, value] : series) {
    const auto state = detector.Step(time, value).state;
    if (state == State::kRegression && before != State::kRegression) {
      alarms.push_back((time - testing::kMonday) / 300);
    }
    before = state;
  }
  return alarms;
}

// Delays of the first alarm after a step by `factor`, for all seeds; -1 for one that was missed.
std::vector<std::int64_t> Delays(double factor, const Detector::Options& options = {}) {
  std::vector<std::int64_t> delays;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const auto from = kLearnt + static_cast<std::int64_t>(seed) * 200;
    const auto alarms = Alarms(testing::Latency(100 + seed, from + kPerDay,
                                                [&](auto i) { return i >= from ? factor : 1.0; }),
                               options);
    const auto first = std::lower_bound(alarms.begin(), alarms.end(), from);
    delays.push_back(first == alarms.end() ? -1 : *first - from);
  }
  std::sort(delays.begin(), delays.end());
  return delays;
}

}  // namespace

TEST_CASE("steps are found, and soon", "[baseline]") {
  const auto half = Delays(1.5);
  CHECK(half.front() >= 0);
  CHECK(half[kSeeds / 2] <= 12);
  const auto twice = Delays(2.0);
  CHECK(twice.front() >= 0);
  CHECK(twice[kSeeds / 2] <= 8);
}

TEST_CASE("endpoints where nothing happens but peaks and spikes raise no regression",
          "[baseline]") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const auto alarms = Alarms(testing::Latency(200 + seed, 5 * kPerWeek, [&](auto i) {
      const bool spike = i > kLearnt && i % 1500 < 1 + static_cast<std::int64_t>(seed) % 8;
      return spike ? 4.0 : 1.0;
    }));
    CHECK(alarms.empty());
  }
}

TEST_CASE("outages of up to forty minutes are no regressions, however they begin", "[baseline]") {
  int spikes = 0;
  int noticed = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    // Four of 2 to 8 points and 2.1 to 8 times the normal, a value of each at random.
    testing::Random random(300 + seed);
    std::vector<double> factor(5 * kPerWeek, 1.0);
    std::vector<std::pair<std::int64_t, std::int64_t>> places;
    for (int k = 0; k < 4; ++k) {
      const auto from =
          kLearnt + (4 * k + 1) * kPerDay + static_cast<std::int64_t>(random.Uniform() * kPerDay);
      const auto length = 2 + static_cast<std::int64_t>(random.Uniform() * 7);
      const double size = 3.0 + random.Uniform() * 5.0;
      for (auto i = from; i < from + length; ++i) {
        factor[static_cast<std::size_t>(i)] = size * (0.7 + 0.3 * random.Uniform());
      }
      places.emplace_back(from, from + length);
    }
    const auto series = testing::Latency(
        400 + seed, 5 * kPerWeek, [&](auto i) { return factor[static_cast<std::size_t>(i)]; });
    CHECK(Alarms(series).empty());
    Detector detector({});
    std::vector<State> states;
    for (const auto& [time, value] : series) states.push_back(detector.Step(time, value).state);
    for (const auto& [from, to] : places) {
      ++spikes;
      noticed += std::count(states.begin() + from, states.begin() + to, State::kAnomaly) > 0;
    }
  }
  CHECK(spikes == 40);
  CHECK(noticed >= 36);
}

TEST_CASE("what is more than double and stays is a regression after an hour or so", "[baseline]") {
  for (const double factor : {2.2, 3.0, 6.0}) {
    const auto delays = Delays(factor);
    CHECK(delays.front() >= 0);
    CHECK(delays.back() <= 24);
  }
}

TEST_CASE("lesser changes are told once they have lasted, or never if nobody wants them",
          "[baseline]") {
  const auto found = [](double factor, bool lesser) {
    const auto delays = Delays(factor, {.lesser_changes = lesser});
    return std::count_if(delays.begin(), delays.end(), [](auto delay) { return delay >= 0; });
  };
  CHECK(found(1.25, true) >= 9);
  CHECK(found(1.05, true) == 0);
  CHECK(found(1.25, false) == 0);
  CHECK(found(1.7, false) == 10);
}
