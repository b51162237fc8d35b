// Deploys and maintenance that people declare.

#include "exporter/baselines/marks.h"

#include <catch2/catch.hpp>

using namespace vigia;
using namespace vigia::alerting;
using namespace vigia::exporter;

namespace {

constexpr Timestamp kMinute = 60'000;
constexpr Timestamp kNow = 1'764'201'600'000;

struct World {
  ManualClock clock{kNow};
  std::unique_ptr<state::Database> database = state::Database::InMemory();
  state::Journal journal{*database, clock};

  World() { REQUIRE(journal.Flush()); }
  std::unique_ptr<Marks> Load() {
    auto marks = std::make_unique<Marks>(journal);
    REQUIRE(marks->Load());
    return marks;
  }
};

std::string VersionNear(const Marks& marks, Timestamp time) {
  const auto deploy = marks.DeployNear(time);
  return deploy ? deploy->version : "none";
}

}  // namespace

TEST_CASE("a change is laid to the last deploy of the two hours before it", "[baselines]") {
  World world;
  Marks marks(world.journal);
  CHECK(VersionNear(marks, kNow) == "none");
  // Declared in any order.
  REQUIRE(marks.Add(Deploy{.time = kNow - 30 * kMinute, .version = "v2"}));
  REQUIRE(marks.Add(Deploy{.time = kNow - 90 * kMinute, .version = "v1"}));
  CHECK(VersionNear(marks, kNow) == "v2");
  CHECK(VersionNear(marks, kNow - 45 * kMinute) == "v1");
  CHECK(VersionNear(marks, kNow + 90 * kMinute) == "v2");
  CHECK(VersionNear(marks, kNow + 90 * kMinute + 1) == "none");
}

TEST_CASE("a change that is seen a little before its deploy is laid to it", "[baselines]") {
  World world;
  Marks marks(world.journal);
  REQUIRE(marks.Add(Deploy{.time = kNow, .version = "v1"}));
  REQUIRE(marks.Add(Deploy{.time = kNow + 5 * kMinute, .version = "v2"}));
  CHECK(VersionNear(marks, kNow - 10 * kMinute) == "v1");
  CHECK(VersionNear(marks, kNow - 10 * kMinute - 1) == "none");
}

TEST_CASE("maintenance lasts from its start up to its end", "[baselines]") {
  World world;
  Marks marks(world.journal);
  REQUIRE(marks.Add(Maintenance{.start = kNow, .end = kNow + 60 * kMinute}));
  REQUIRE(marks.Add(Maintenance{.start = kNow + 30 * kMinute, .end = kNow + 40 * kMinute}));
  CHECK_FALSE(marks.InMaintenance(kNow - 1));
  CHECK(marks.InMaintenance(kNow));
  CHECK(marks.InMaintenance(kNow + 50 * kMinute));
  CHECK_FALSE(marks.InMaintenance(kNow + 60 * kMinute));
}

TEST_CASE("marks are what the journal has after a restart", "[baselines]") {
  World world;
  {
    Marks marks(world.journal);
    REQUIRE(
        marks.Add(Deploy{.time = kNow - kMinute, .version = "v1", .text = "a \"b\"", .by = "ana"}));
    REQUIRE(marks.Add(Maintenance{.start = kNow, .end = kNow + kMinute}));
  }
  // What others wrote, or wrote badly, is no reason to fail.
  world.journal.Add({.time = kNow, .type = "deploy", .labels = {}, .details = "[]"});
  world.journal.Add({.time = kNow, .type = "maintenance", .labels = {}, .details = "{}"});
  const auto loaded = world.Load();
  const Marks& marks = *loaded;
  REQUIRE(marks.Deploys().size() == 1);
  CHECK(marks.Deploys()[0].version == "v1");
  CHECK(marks.Deploys()[0].text == "a \"b\"");
  CHECK(marks.Deploys()[0].by == "ana");
  CHECK(marks.InMaintenance(kNow + kMinute - 1));
  CHECK_FALSE(marks.InMaintenance(kNow + kMinute));
}

TEST_CASE("of very many marks the newest are remembered", "[baselines]") {
  World world;
  Marks marks(world.journal);
  for (int i = 0; i < 2 * static_cast<int>(Marks::kMost); ++i) {
    REQUIRE(marks.Add(Deploy{.time = kNow + i * kMinute, .version = std::to_string(i)}));
  }
  CHECK(marks.Deploys().size() == Marks::kMost);
  CHECK(marks.Deploys()[0].version == "99");
  CHECK(world.Load()->Deploys().size() == Marks::kMost);
  CHECK(world.Load()->Deploys().back().version == "50");
}
