// The past of a baseline, as another server remembers it.

#include "alerting/baseline/past.h"

#include <catch2/catch.hpp>

#include "alerting/baseline/book.h"
#include "query/promql/memory_source.h"
#include "tests/baseline/series.h"

using namespace vigia;
using namespace vigia::alerting;
using namespace vigia::alerting::baseline;
using testing::kPerDay;
using testing::kPerWeek;

namespace {

const promql::Engine kEngine{promql::EngineOptions{}};
const Labels kPath({{"path", "/a"}});

Definition Latency() {
  Definition definition;
  definition.name = "latency";
  definition.expression = "latency_seconds";
  definition.query = *kEngine.Parse(definition.expression);
  definition.interval = Milliseconds(300'000);
  return definition;
}

struct World {
  promql::MemorySource memory;
  std::unique_ptr<state::Database> database = state::Database::InMemory();
  bool maintenance = false;
  Book book{{.source = memory,
             .engine = kEngine,
             .sink = memory,
             .database = *database,
             .learns = [this](Timestamp) { return !maintenance; }}};

  World() {
    REQUIRE(book.Open());
    book.Apply({Latency()});
  }
  void Feel(const testing::Point& point) {
    memory.Add(Labels({{"__name__", "latency_seconds"}, {"path", "/a"}}), point.time * 1000,
               point.value);
    book.Evaluate(point.time * 1000);
  }
  Verdict Now() const { return book.Pages().at("latency")->lines.at(0).verdict; }
};

// A past of all points but the last `left`.
Past PastOf(const World& world, const std::vector<testing::Point>& series, std::size_t left) {
  auto past = world.book.NewPast(Latency());
  for (std::size_t i = 0; i + left < series.size(); ++i) {
    past.Add(kPath, series[i].time * 1000, series[i].value);
  }
  return past;
}

const auto kSeries = testing::Latency(41, 2 * kPerWeek + 2 * kPerDay);

}  // namespace

TEST_CASE("the steps of the past are at most 11,000, and multiples of the interval", "[baseline]") {
  CHECK(PastStep(300'000) == 300'000);
  CHECK(PastStep(60'000) == 180'000);
  CHECK(PastStep(1'000) == 126'000);
  for (const std::int64_t interval : {1'000, 7'000, 15'000, 60'000, 300'000, 3'600'000}) {
    CHECK(PastStep(interval) % interval == 0);
    CHECK(kPastLength / PastStep(interval) <= kMaxPastSteps);
  }
}

TEST_CASE("with a past a series that has just begun says what one of two weeks says",
          "[baseline]") {
  World world;
  // Two hours of its own, of which the other server has seen the first.
  for (std::size_t i = kSeries.size() - 24; i < kSeries.size(); ++i) world.Feel(kSeries[i]);
  CHECK(world.Now().state == State::kLearning);
  REQUIRE(world.book.Lacking().size() == 1);
  CHECK(world.book.TakePast(Latency(), PastOf(world, kSeries, 12), kSeries.back().time * 1000) ==
        1);
  Detector alone({});
  for (const auto& [time, value] : kSeries) alone.Step(time, value);
  const testing::Point next{kSeries.back().time + 300, 100.0};
  world.Feel(next);
  const auto expected = alone.Step(next.time, next.value);
  CHECK(world.Now().state == State::kOk);
  CHECK(world.Now().expected == expected.expected);
  CHECK(world.Now().upper == expected.upper);
  CHECK(world.book.Lacking().empty());
}

TEST_CASE("a past comes before its series is seen, and survives a restart", "[baseline]") {
  World world;
  world.book.Evaluate(kSeries.back().time * 1000);
  REQUIRE(world.book.Lacking().size() == 1);
  CHECK(world.book.TakePast(Latency(), PastOf(world, kSeries, 0), kSeries.back().time * 1000) == 1);
  REQUIRE(world.book.Save());
  Book again({world.memory, kEngine, world.memory, *world.database});
  REQUIRE(again.Open());
  again.Apply({Latency()});
  world.memory.Add(Labels({{"__name__", "latency_seconds"}, {"path", "/a"}}),
                   (kSeries.back().time + 300) * 1000, 100.0);
  again.Evaluate((kSeries.back().time + 300) * 1000);
  CHECK(again.Pages().at("latency")->lines.at(0).verdict.state == State::kOk);
}

TEST_CASE("a past takes nothing from what is known as long, or by another expression",
          "[baseline]") {
  World world;
  for (const auto& point : kSeries) world.Feel(point);
  CHECK(world.book.Lacking().empty());
  const auto before = world.Now().expected;
  CHECK(world.book.TakePast(Latency(), PastOf(world, kSeries, 0), kSeries.back().time * 1000) == 0);
  CHECK(world.Now().expected == before);

  World other;
  other.Feel(kSeries.back());
  auto definition = Latency();
  definition.expression = "another";
  CHECK(other.book.TakePast(definition, PastOf(other, kSeries, 0), kSeries.back().time * 1000) ==
        0);
}

TEST_CASE("a past keeps to the budget, to the order of time and to maintenance", "[baseline]") {
  Past past({}, 1, [](Timestamp time) { return time < 3'000; });
  CHECK(past.Add(kPath, 1'000, 1.0));
  CHECK(past.Add(kPath, 1'000, 9.0));
  CHECK(past.Add(kPath, 2'000, 1.0));
  CHECK(past.Add(kPath, 500, 9.0));
  CHECK(past.Add(kPath, 4'000, 9.0));
  CHECK_FALSE(past.Add(Labels({{"path", "/b"}}), 1'000, 1.0));
  REQUIRE(past.detectors().size() == 1);
  CHECK(past.detectors().begin()->second.rows() == 2);
}
