// However often a series is scraped: a change is told as soon, is hardly taken for the normal
// before that, and its size is about right when it is told.

#include <algorithm>
#include <catch2/catch.hpp>

#include "alerting/baseline/detector.h"
#include "tests/baseline/series.h"

using namespace vigia;
using namespace vigia::alerting::baseline;

namespace {

constexpr std::int64_t kPast = 16 * kDay;  // seconds

struct Told {
  std::int64_t after = -1;  // seconds since the change
  double change = 0.0;
  double expected = 0.0;  // when it was told; 0.05 before the change
};

struct Scrapes {
  std::int64_t past = 60;     // seconds between values, of the first sixteen days
  std::int64_t present = 60;  // and of the rest
  bool known = false;         // whether the detector is told that they differ
};

// A latency of 50 ms with noise, which changes by `factor` ten minutes into the present.
Told Change(double factor, Scrapes scrapes, const Detector::Options& options = {}) {
  testing::Random random(11);
  Detector detector(options);
  const auto step = [&](std::int64_t time, double level) {
    return detector.Step(testing::kMonday + time, 0.05 * level * (1 + 0.04 * random.Normal()));
  };
  std::int64_t time = 0;
  for (; time < kPast; time += scrapes.past) step(time, 1.0);
  if (scrapes.known) {
    detector.ReadEvery(static_cast<double>(scrapes.present), static_cast<double>(scrapes.past));
  }
  const auto changes = time + 600;
  for (; time < changes + 6 * 3600; time += scrapes.present) {
    const auto verdict = step(time, time < changes ? 1.0 : factor);
    if (verdict.state == State::kRegression) {
      return {time - changes, verdict.change, verdict.expected};
    }
  }
  return {};
}

}  // namespace

TEST_CASE("a step is told within the hour however often it is scraped", "[baseline]") {
  for (const std::int64_t seconds : {300, 60, 15, 5}) {
    const auto told = Change(1.6, {.past = seconds, .present = seconds});
    INFO(seconds);
    CHECK(told.after > 20 * 60);
    CHECK(told.after <= 50 * 60);
    CHECK(told.change == Approx(0.6).margin(0.2));
    CHECK(told.expected == Approx(0.05).epsilon(0.25));
  }
}

TEST_CASE("a past in large steps does not make the present be learnt fast", "[baseline]") {
  for (const std::int64_t seconds : {60, 15, 1}) {
    const auto told = Change(1.6, {.past = 180, .present = seconds, .known = true});
    INFO(seconds);
    CHECK(told.after > 20 * 60);
    CHECK(told.after <= 50 * 60);
    CHECK(told.expected == Approx(0.05).epsilon(0.2));
  }
}

TEST_CASE("the size of a change is told as it is, also beyond double", "[baseline]") {
  for (const double factor : {1.6, 2.2, 4.0}) {
    const auto told = Change(factor, {.past = 300, .present = 300});
    INFO(factor);
    CHECK(told.after >= 0);
    CHECK(told.change == Approx(factor - 1).epsilon(0.15));
  }
}

TEST_CASE("a minimum of more than double is reached by what is more", "[baseline]") {
  const Detector::Options options{.min_change = 1.0, .lesser_changes = false};
  const auto told = Change(3.0, {.past = 300, .present = 300}, options);
  CHECK(told.after >= 0);
  CHECK(told.after <= 3 * 3600);
  CHECK(Change(1.7, {.past = 300, .present = 300}, options).after == -1);
}
