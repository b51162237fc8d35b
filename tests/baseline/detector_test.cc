// What a detector says of made-up series, and what must hold of it for any series.

#include "alerting/baseline/detector.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>

#include "tests/baseline/series.h"

using namespace vigia;
using namespace vigia::alerting::baseline;
using testing::kPerDay;
using testing::kPerWeek;
using testing::Latency;
using testing::Point;

namespace {

std::vector<Verdict> Run(const std::vector<Point>& series, const Detector::Options& options = {}) {
  Detector detector(options);
  std::vector<Verdict> verdicts;
  for (const auto& [time, value] : series) verdicts.push_back(detector.Step(time, value));
  return verdicts;
}

// Index of the first row from `from` on in `state`, or -1.
std::int64_t First(const std::vector<Verdict>& verdicts, State state, std::size_t from = 0) {
  for (std::size_t i = from; i < verdicts.size(); ++i) {
    if (verdicts[i].state == state) return static_cast<std::int64_t>(i);
  }
  return -1;
}

bool Same(const Verdict& a, const Verdict& b) {
  return a.known == b.known && a.expected == b.expected && a.lower == b.lower &&
         a.upper == b.upper && a.score == b.score && a.alert == b.alert && a.state == b.state &&
         a.since == b.since && a.change == b.change;
}

constexpr std::int64_t kChange = 3 * kPerWeek + 2 * kPerDay + 120;  // a Wednesday at 10:00

}  // namespace

TEST_CASE("detector reports a lasting +60 % once, soon, with its size and time", "[baseline]") {
  const auto verdicts =
      Run(Latency(1, kChange + kPerDay, [](auto i) { return i >= kChange ? 1.6 : 1.0; }));
  const auto at = First(verdicts, State::kRegression);
  REQUIRE(at >= kChange);
  CHECK(at <= kChange + 12);
  CHECK(std::abs(verdicts[static_cast<std::size_t>(at)].since -
                 (testing::kMonday + 300 * kChange)) <= 600);
  CHECK(verdicts.back().state == State::kRegression);
  CHECK(verdicts.back().change == Approx(0.6).margin(0.12));
}

TEST_CASE("detector stays quiet over daily peaks and weekends", "[baseline]") {
  for (const std::uint64_t seed : {2U, 3U, 4U}) {
    const auto verdicts = Run(Latency(seed, 6 * kPerWeek));
    CHECK(First(verdicts, State::kRegression) == -1);
    CHECK(First(verdicts, State::kImprovement) == -1);
  }
}

TEST_CASE("detector calls a spike an anomaly, not a regression", "[baseline]") {
  const auto verdicts = Run(Latency(
      5, kChange + kPerDay, [](auto i) { return i >= kChange && i < kChange + 6 ? 5.0 : 1.0; }));
  CHECK(First(verdicts, State::kRegression) == -1);
  const auto at = First(verdicts, State::kAnomaly, kChange);
  CHECK(at >= kChange);
  CHECK(at < kChange + 6);
}

TEST_CASE("detector tells the good direction from the bad", "[baseline]") {
  const auto series =
      Latency(6, kChange + kPerDay, [](auto i) { return i >= kChange ? 0.6 : 1.0; });
  SECTION("lower is better") {
    const auto verdicts = Run(series);
    CHECK(First(verdicts, State::kRegression) == -1);
    CHECK(verdicts.back().state == State::kImprovement);
    CHECK(verdicts.back().change == Approx(-0.4).margin(0.1));
  }
  SECTION("lower is worse") {
    const auto verdicts = Run(series, {.direction = Direction::kDown});
    CHECK(First(verdicts, State::kImprovement) == -1);
    CHECK(verdicts.back().state == State::kRegression);
  }
  SECTION("any change is worse") {
    CHECK(Run(series, {.direction = Direction::kBoth}).back().state == State::kRegression);
  }
}

TEST_CASE("detector ends a regression that goes back", "[baseline]") {
  const auto verdicts = Run(Latency(7, kChange + 3 * kPerDay, [](auto i) {
    return i >= kChange && i < kChange + kPerDay ? 1.8 : 1.0;
  }));
  CHECK(First(verdicts, State::kRegression) >= kChange);
  CHECK(verdicts[kChange + kPerDay - 1].state == State::kRegression);
  CHECK(verdicts[kChange + kPerDay + 24].state != State::kRegression);
  CHECK(First(verdicts, State::kRegression, kChange + kPerDay + 24) == -1);
}

TEST_CASE("a change that stays for a week is the new normal, and that can be undone",
          "[baseline]") {
  Detector detector({});
  Verdict last;
  const auto series =
      Latency(8, kChange + 9 * kPerDay, [](auto i) { return i >= kChange ? 1.7 : 1.0; });
  for (const auto& [time, value] : series) last = detector.Step(time, value);
  CHECK(last.state == State::kOk);
  const double adopted = last.expected;
  REQUIRE(detector.Undo());
  const auto& [time, value] = series.back();
  CHECK(detector.Step(time + 300, value).expected == Approx(adopted / 1.7).epsilon(0.12));
  CHECK_FALSE(detector.Undo());
}

TEST_CASE("accepting a regression makes its level the normal at once", "[baseline]") {
  Detector detector({});
  CHECK_FALSE(detector.Accept());
  const auto series =
      Latency(9, kChange + kPerDay, [](auto i) { return i >= kChange ? 1.6 : 1.0; });
  for (const auto& [time, value] : series) detector.Step(time, value);
  REQUIRE(detector.Accept());
  const auto verdict = detector.Step(series.back().time + 300, series.back().value);
  CHECK(verdict.state == State::kOk);
  CHECK(verdict.expected == Approx(series.back().value).epsilon(0.35));
}

TEST_CASE("nothing is learnt in maintenance", "[baseline]") {
  Detector detector({});
  for (const auto& [time, value] : Latency(10, 3 * kPerWeek)) detector.Step(time, value);
  const auto before = detector.Save();
  const auto verdict = detector.Step(testing::kMonday + 300 * 3 * kPerWeek, 5000.0, false);
  CHECK(verdict.state == State::kOk);
  CHECK(detector.Save() == before);
}

TEST_CASE("a floor keeps small absolute changes quiet", "[baseline]") {
  const auto series =
      Latency(11, kChange + kPerDay, [](auto i) { return i >= kChange ? 1.6 : 1.0; });
  CHECK(First(Run(series, {.floor = 500.0}), State::kRegression) == -1);
  CHECK(First(Run(series, {.floor = 20.0}), State::kRegression) >= kChange);
}

TEST_CASE("detector is shift and scale equivariant", "[baseline]") {
  const auto series = Latency(12, 3 * kPerWeek);
  const auto plain = Run(series);
  const auto compare = [&](double factor, double offset) {
    auto changed = series;
    for (auto& point : changed) point.value = factor * point.value + offset;
    const auto verdicts = Run(changed);
    std::size_t wrong = 0;
    for (std::size_t i = 1; i < plain.size(); ++i) {
      const auto near = [&](double a, double b) {
        return std::abs(a - (factor * b + offset)) <= 1e-3 * factor * 100.0;
      };
      const bool same = near(verdicts[i].expected, plain[i].expected) &&
                        near(verdicts[i].lower, plain[i].lower) &&
                        near(verdicts[i].upper, plain[i].upper) &&
                        std::abs(verdicts[i].score - plain[i].score) < 1e-2;
      wrong += same ? 0 : 1;
    }
    return wrong;
  };
  // Powers of two change no digit; other numbers move a row across the edge of a bin now and then.
  CHECK(compare(1024.0, 0.0) == 0);
  CHECK(compare(1.0 / 1024.0, 0.0) == 0);
  CHECK(compare(1000.0, 0.0) < plain.size() / 100);
  CHECK(compare(1.0, 4096.0) < plain.size() / 100);
}

TEST_CASE("a regression is the same in any unit", "[baseline]") {
  auto series = Latency(13, kChange + kPerDay, [](auto i) { return i >= kChange ? 1.6 : 1.0; });
  const auto plain = Run(series);
  for (auto& point : series) point.value /= 1024.0;
  const auto scaled = Run(series);
  for (std::size_t i = 0; i < plain.size(); ++i) REQUIRE(plain[i].state == scaled[i].state);
}

TEST_CASE("detector restarted at any row says the same", "[baseline]") {
  const auto series =
      Latency(14, kChange + kPerDay, [](auto i) { return i >= kChange ? 1.6 : 1.0; });
  const auto whole = Run(series);
  Detector detector({});
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (i % 97 == 0 || i > static_cast<std::size_t>(kChange)) {
      const auto bytes = detector.Save();
      Detector next({});
      REQUIRE(next.Restore(bytes));
      REQUIRE(next.Save() == bytes);
      detector = next;
    }
    REQUIRE(Same(detector.Step(series[i].time, series[i].value), whole[i]));
  }
}

TEST_CASE("the state has a fixed size, and foreign bytes are refused", "[baseline]") {
  CHECK(Detector::StateBytes() <= 8192);
  Detector detector({});
  const auto fresh = detector.Save();
  for (const auto& [time, value] : Latency(15, kPerWeek)) detector.Step(time, value);
  CHECK(detector.Save().size() == fresh.size());
  CHECK_FALSE(detector.Restore("something else"));
  CHECK_FALSE(detector.Restore(fresh.substr(1)));
}

TEST_CASE("values that mean nothing are no data", "[baseline]") {
  Detector detector({});
  CHECK(detector.Step(0, std::nullopt).state == State::kNoData);
  CHECK(detector.Step(300, std::numeric_limits<double>::quiet_NaN()).state == State::kNoData);
  CHECK(detector.Step(600, std::numeric_limits<double>::infinity()).state == State::kNoData);
  CHECK(detector.rows() == 0);
  CHECK_FALSE(detector.Step(900, 1.0).known);
  CHECK(detector.Step(1200, 1.0).known);
}

TEST_CASE("constants, zeros, integers and gaps have bands and no alarms", "[baseline]") {
  const auto quiet = [](const std::function<double(std::int64_t)>& value, std::int64_t step) {
    Detector detector({});
    for (std::int64_t i = 0; i < 3 * kPerWeek; ++i) {
      if (i > 2000 && i < 2300) continue;
      const auto verdict = detector.Step(testing::kMonday + step * i, value(i));
      if (verdict.state != State::kOk && verdict.state != State::kLearning) return false;
      if (verdict.known &&
          !(verdict.lower <= verdict.expected && verdict.expected <= verdict.upper)) {
        return false;
      }
    }
    return true;
  };
  CHECK(quiet([](auto) { return 0.0; }, 300));
  CHECK(quiet([](auto) { return 42.0; }, 60));
  CHECK(quiet([](auto) { return -3.5; }, 3600));
  CHECK(quiet([](auto i) { return static_cast<double>(i * 7 % 5); }, 300));
  CHECK(quiet([](auto i) { return static_cast<double>(i * 7 % 5) - 2.0; }, 300));
}

TEST_CASE("evidence is counted per five minutes, however often a series is scraped", "[baseline]") {
  // Twice as slow for four minutes, at one value per 5 s: no new level yet.
  Detector detector({.season = Season::kNone});
  testing::Random random(16);
  std::int64_t regressions = 0;
  for (std::int64_t i = 0; i < 20'000; ++i) {
    const double value = 100.0 * std::exp(0.1 * random.Normal());
    const bool slow = i >= 18'000 && i < 18'000 + 48;
    const auto verdict = detector.Step(testing::kMonday + 5 * i, slow ? 2.0 * value : value);
    regressions += verdict.state == State::kRegression ? 1 : 0;
  }
  CHECK(regressions == 0);
}

TEST_CASE("a slow series has change points", "[baseline]") {
  testing::Random random(17);
  Detector detector({});
  std::vector<std::int64_t> changes;
  for (std::int64_t day = 0; day < 120; ++day) {
    const double level = day < 60 ? 1000.0 : 1400.0;
    const auto verdict =
        detector.Step(testing::kMonday + kDay * day, level + 30.0 * random.Normal());
    if (verdict.since != 0 && (changes.empty() || changes.back() != verdict.since)) {
      changes.push_back(verdict.since);
    }
  }
  REQUIRE(changes.size() == 1);
  CHECK(std::abs(changes[0] - (testing::kMonday + 60 * kDay)) <= 3 * kDay);
}
