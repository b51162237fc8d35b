// The quality of detection on made-up endpoints: a bound under which no change may fall. The
// figures on public data are in docs/detection.md.

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

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
std::vector<std::int64_t> Alarms(const std::vector<testing::Point>& series) {
  Detector detector({});
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
std::vector<std::int64_t> Delays(double factor) {
  std::vector<std::int64_t> delays;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const auto from = kLearnt + static_cast<std::int64_t>(seed) * 200;
    const auto alarms = Alarms(testing::Latency(100 + seed, from + kPerDay,
                                                [&](auto i) { return i >= from ? factor : 1.0; }));
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
