// What is deleted and when, what is merged, and clocks that jump.

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/history/support.h"

namespace vigia::history {
namespace {

const Labels kSeries{{"__name__", "m"}};

// Appends a sample every minute for `minutes`, maintaining as the thread would.
void Run(Fixture& fixture, int minutes) {
  for (int i = 0; i < minutes; ++i) {
    fixture.clock.Advance(1min);
    fixture.Append(kSeries, fixture.clock.Wall(), i);
    fixture->Maintain();
  }
}

}  // namespace

TEST_CASE("samples beyond retention are deleted a file at a time", "[history]") {
  Fixture fixture({.retention = 2h});
  fixture.Append(Labels{{"__name__", "ended"}}, fixture.start, 1);
  Run(fixture, 110);
  REQUIRE(fixture.Select({}).size() == 2);
  REQUIRE(fixture->stats().oldest_time == fixture.start);
  Run(fixture, 130);
  const auto read = fixture.Read(kSeries);
  const auto age = fixture.clock.Wall() - read.times.front();
  REQUIRE(age >= 2 * 3'600'000);
  REQUIRE(age <= 4 * 3'600'000);
  REQUIRE(fixture->stats().blocks_deleted > 0);
  // The series that ended is forgotten with its last file.
  REQUIRE(fixture.Select({}) == std::vector<std::string>{"m"});
  REQUIRE(fixture->stats().series_dropped == 1);
  REQUIRE(*fixture->LabelValues("__name__", {}, kAllTime) == std::vector<std::string>{"m"});
}

TEST_CASE("files beyond the size are deleted oldest first", "[history]") {
  Fixture fixture({.retention = 1000h, .retention_bytes = 10'000});
  for (int i = 0; i < 40; ++i) {
    fixture.Fill(10, 80);
    fixture->Maintain();
    REQUIRE(fixture->stats().block_bytes + fixture->stats().journal_bytes < 20'000);
  }
  const auto all = fixture.Fill(10, 1);
  const auto left = fixture.ReadAll();
  REQUIRE(left.size() == 10);
  for (const auto& [name, samples] : left) {
    REQUIRE(samples.size() < 3000);
    REQUIRE(std::equal(samples.rbegin(), samples.rend(), all.at(name).rbegin()));
  }
}

TEST_CASE("a selected series stays readable after retention has deleted it", "[history]") {
  Fixture fixture({.retention = 1h});
  Run(fixture, 50);
  REQUIRE(fixture->Seal());
  const auto selected = fixture->Select({}, kAllTime);
  REQUIRE(selected->size() == 1);
  Columns before;
  REQUIRE((*selected)[0]->Read(kAllTime.from, kAllTime.to, before));
  fixture.clock.Advance(20h);
  fixture.Append(Labels{{"__name__", "other"}}, fixture.clock.Wall(), 1);
  fixture->Maintain();
  fixture.clock.Advance(2h);
  fixture.Append(Labels{{"__name__", "other"}}, fixture.clock.Wall(), 1);
  fixture->Maintain();
  REQUIRE(fixture.Select({}) == std::vector<std::string>{"other"});
  Columns after;
  REQUIRE((*selected)[0]->Read(kAllTime.from, kAllTime.to, after));
  REQUIRE(after.times == before.times);
  REQUIRE(after.size() == 50);
}

TEST_CASE("small files are merged into larger ones without changing what is read", "[history]") {
  Fixture fixture({.retention = 24h * 15});
  Content content;
  for (int i = 0; i < 60; ++i) {
    content = fixture.Fill(5, 80);
    fixture->Maintain();
  }
  const auto stats = fixture->stats();
  REQUIRE(stats.blocks_written >= 50);
  REQUIRE(stats.blocks_merged > 40);
  REQUIRE(stats.blocks < 15);
  REQUIRE(fixture.ReadAll() == content);
  fixture.Reopen();
  REQUIRE(fixture.ReadAll() == content);
  REQUIRE(fixture->stats().blocks == stats.blocks);
}

TEST_CASE("a series that was dropped can come back", "[history]") {
  Fixture fixture({.retention = 1h});
  fixture.Append(kSeries, fixture.start, 1);
  auto held = fixture->Resolve(kSeries);
  for (int i = 0; i < 20; ++i) {
    fixture.clock.Advance(10min);
    fixture.Append(Labels{{"__name__", "other"}}, fixture.clock.Wall(), 1);
    fixture->Maintain();
  }
  REQUIRE(fixture.Select({}) == std::vector<std::string>{"other"});
  std::vector<Appender::Item> items{{held, {fixture.clock.Wall(), 7}}};
  REQUIRE(fixture->AppendResolved(items).stored == 1);
  REQUIRE(items[0].series != held);
  REQUIRE(fixture.Read(kSeries).values == std::vector<double>{7});
  fixture.Reopen();
  REQUIRE(fixture.Read(kSeries).values == std::vector<double>{7});
}

TEST_CASE("a clock that jumps ahead does not delete the history", "[history]") {
  Fixture fixture({.retention = 2h});
  Run(fixture, 60);
  fixture.clock.JumpWall(std::chrono::hours(24 * 365));
  Run(fixture, 30);
  REQUIRE(fixture.Read(kSeries).size() == 90);
  // Back again: what comes now is late for the series, and stored all the same.
  fixture.clock.JumpWall(-std::chrono::hours(24 * 365));
  Run(fixture, 30);
  REQUIRE(fixture.Read(kSeries).size() == 120);
  REQUIRE(fixture->stats().samples_too_old == 0);
  fixture.Reopen();
  REQUIRE(fixture.Read(kSeries).size() == 120);
}

TEST_CASE("a clock that jumped ahead and stays is believed after an hour", "[history]") {
  Fixture fixture({.retention = 2h});
  Run(fixture, 60);
  fixture.clock.JumpWall(std::chrono::hours(24 * 365));
  Run(fixture, 90);
  // Of the hour before the jump there is what shares a file with what came after.
  const auto read = fixture.Read(kSeries);
  const auto before = std::count_if(read.times.begin(), read.times.end(), [&](Timestamp time) {
    return time < fixture.start + 7'200'000;
  });
  REQUIRE(before < 30);
  REQUIRE(read.size() == 90 + static_cast<std::size_t>(before));
}

TEST_CASE("a clock that jumps back writes between what is there", "[history]") {
  Fixture fixture;
  Run(fixture, 60);
  fixture.clock.JumpWall(-std::chrono::minutes(30));
  // The minutes are taken already: these are conflicts, unless the value is the same.
  const auto outcome = fixture.Append(kSeries, fixture.clock.Wall(), -1);
  REQUIRE(outcome.out_of_order == 1);
  fixture.clock.JumpWall(std::chrono::seconds(-7));
  Run(fixture, 30);
  const auto read = fixture.Read(kSeries);
  REQUIRE(read.size() == 90);
  REQUIRE(std::is_sorted(read.times.begin(), read.times.end()));
}

}  // namespace vigia::history
