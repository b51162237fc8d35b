// What is accepted, what is refused, and how it is counted.

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/history/support.h"

namespace vigia::history {
namespace {

const Labels kSeries{{"__name__", "m"}};

}  // namespace

TEST_CASE("a sample given twice is ignored and another value refused", "[history]") {
  Fixture fixture;
  const Timestamp t = fixture.start;
  REQUIRE(fixture.Append(kSeries, t, 1).stored == 1);
  REQUIRE(fixture.Append(kSeries, t, 1).duplicate == 1);
  REQUIRE(fixture.Append(kSeries, t, 2).out_of_order == 1);
  for (int i = 1; i < 200; ++i) {
    fixture.clock.Advance(1s);
    fixture.Append(kSeries, t + i * 1000, i);
  }
  // In a chunk in memory, then in a file, then in the journal of a process before.
  for (int i = 0; i < 3; ++i) {
    REQUIRE(fixture.Append(kSeries, t, 1).duplicate == 1);
    REQUIRE(fixture.Append(kSeries, t, 2).out_of_order == 1);
    REQUIRE(fixture.Append(kSeries, t + 199'000, 199).duplicate == 1);
    REQUIRE(fixture.Append(kSeries, t + 199'000, -0.0).out_of_order == 1);
    REQUIRE(fixture.Read(kSeries).size() == 200);
    if (i == 0) REQUIRE(fixture->Seal());
    if (i == 1) fixture.Reopen();
  }
  REQUIRE(fixture->stats().samples_duplicate == 2);
  REQUIRE(fixture->stats().samples_conflicting == 2);
}

TEST_CASE("stale markers and other NaNs are told apart as duplicates", "[history]") {
  Fixture fixture;
  REQUIRE(fixture.Append(kSeries, fixture.start, GoneMarker()).stored == 1);
  REQUIRE(fixture.Append(kSeries, fixture.start, GoneMarker()).duplicate == 1);
  REQUIRE(fixture.Append(kSeries, fixture.start, UnknownMarker()).out_of_order == 1);
  REQUIRE(fixture.Append(kSeries, fixture.start, kNaN).out_of_order == 1);
  REQUIRE(IsGone(fixture.Read(kSeries).values.at(0)));
}

TEST_CASE("late samples within the window are stored in their place", "[history]") {
  Fixture fixture;
  const Timestamp t = fixture.start;
  for (int i = 0; i < 100; ++i) {
    if (i % 7 != 3) fixture.Append(kSeries, t + i * 10'000, i);
    fixture.clock.Advance(10s);
    if (i == 60) REQUIRE(fixture->Seal());
  }
  for (int i = 3; i < 100; i += 7) {
    const bool within = i * 10'000 >= 99 * 10'000 - 600'000;
    REQUIRE(fixture.Append(kSeries, t + i * 10'000, i).stored == (within ? 1 : 0));
  }
  const auto check = [&] {
    const auto read = fixture.Read(kSeries);
    REQUIRE(read.size() == 94);  // 3, 10, 17, 24, 31 and 38 were too late
    REQUIRE(std::is_sorted(read.times.begin(), read.times.end()));
    for (std::size_t i = 0; i < read.size(); ++i) {
      REQUIRE(read.times[i] == t + static_cast<Timestamp>(read.values[i]) * 10'000);
    }
  };
  check();
  REQUIRE(fixture->stats().samples_too_old == 6);
  REQUIRE(fixture->stats().samples_out_of_order == 8);
  fixture.Reopen();
  check();
  REQUIRE(fixture->Seal());
  check();
  fixture.Reopen();
  check();
}

TEST_CASE("a run of late samples is compared with what is stored", "[history]") {
  Fixture fixture;
  std::vector<Sample> samples;
  for (int i = 0; i < 40; ++i) samples.push_back({fixture.start + i * 15'000, i / 10.0});
  fixture.clock.Advance(10min);
  const std::vector<SeriesSink::Run> runs{{&kSeries, samples}};
  REQUIRE(fixture->AppendRuns(runs)->stored == 40);
  REQUIRE(fixture->AppendRuns(runs)->duplicate == 40);
  REQUIRE(fixture->Seal());
  fixture.Reopen();
  samples[5].value = 99;
  samples.insert(samples.begin() + 10, {fixture.start + 9 * 15'000 + 1, 5});
  const auto outcome = fixture->AppendRuns(std::vector<SeriesSink::Run>{{&kSeries, samples}});
  REQUIRE(outcome->stored == 1);
  REQUIRE(outcome->duplicate == 39);
  REQUIRE(outcome->out_of_order == 1);
  REQUIRE(fixture.Read(kSeries).size() == 41);
}

TEST_CASE("old samples of a new series are accepted within retention", "[history]") {
  Fixture fixture;
  fixture.Append(kSeries, fixture.start, 1);
  fixture->Maintain();
  const Labels imported{{"__name__", "imported"}};
  REQUIRE(fixture.Append(imported, fixture.start - 23 * 3'600'000, 1).stored == 1);
  REQUIRE(fixture.Append(imported, fixture.start - 22 * 3'600'000, 2).stored == 1);
  REQUIRE(fixture.Append(imported, fixture.start - 25 * 3'600'000, 3).out_of_order == 1);
  REQUIRE(fixture.Append(Labels{{"__name__", "older"}}, fixture.start - 25 * 3'600'000, 3)
              .out_of_order == 1);
  REQUIRE(fixture->stats().samples_too_old == 2);
}

TEST_CASE("samples far ahead of the clock are refused", "[history]") {
  Fixture fixture;
  REQUIRE(fixture.Append(kSeries, fixture.start + 3'600'000, 1).stored == 1);
  REQUIRE(fixture.Append(kSeries, fixture.start + 3'600'001, 1).out_of_order == 1);
  REQUIRE(fixture.Append(kSeries, std::numeric_limits<Timestamp>::max(), 1).out_of_order == 1);
  REQUIRE(fixture.Append(kSeries, std::numeric_limits<Timestamp>::min(), 1).out_of_order == 1);
  REQUIRE(fixture->stats().samples_too_new == 2);
}

TEST_CASE("an empty history takes samples of any age", "[history]") {
  Fixture fixture;
  for (const Timestamp time : {-1'000, 0, 15'000, 30'000}) {
    REQUIRE(fixture.Append(kSeries, time, 1).stored == 1);
  }
  fixture->Maintain();
  REQUIRE(fixture->Seal());
  fixture.Reopen();
  REQUIRE(fixture.Read(kSeries).times == std::vector<Timestamp>{-1'000, 0, 15'000, 30'000});
}

TEST_CASE("series beyond the limit are refused and counted while the others go on", "[history]") {
  Fixture fixture({.max_series = 10});
  std::vector<SeriesSink::Entry> entries;
  for (int i = 0; i < 15; ++i) {
    entries.push_back({Labels{{"__name__", "m"}, {"i", std::to_string(i)}}, {fixture.start, 1}});
  }
  const auto outcome = fixture->Append(entries);
  REQUIRE(outcome->stored == 10);
  REQUIRE(outcome->refused == 5);
  REQUIRE(fixture->stats().series == 10);
  REQUIRE(fixture->stats().samples_over_series == 5);
  for (auto& entry : entries) entry.sample.time += 1000;
  REQUIRE(fixture->Append(entries)->stored == 10);
}

TEST_CASE("memory beyond the limit refuses new series first and then samples", "[history]") {
  Fixture fixture({.max_memory = 4 << 20});
  std::size_t stored = 0;
  std::size_t refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto outcome =
        fixture.Append(Labels{{"__name__", "m"}, {"i", std::to_string(i)}}, fixture.start, 1);
    stored += outcome.stored;
    refused += outcome.refused;
  }
  REQUIRE(stored > 1000);
  REQUIRE(refused > 1000);
  REQUIRE(fixture->stats().memory_bytes <= 4 << 20);
  REQUIRE(fixture.Append(Labels{{"__name__", "m"}, {"i", "0"}}, fixture.start + 1, 1).stored == 1);
}

}  // namespace vigia::history
