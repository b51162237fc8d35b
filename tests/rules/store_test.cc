#include "alerting/rules/store.h"

#include <catch2/catch.hpp>

#include "tests/rules/stage.h"
#include "tests/support/temp_dir.h"

namespace vigia::alerting::rules::test {
namespace {

constexpr std::string_view kRules = R"(
groups:
- name: g
  rules:
  - alert: High
    expr: load > 10
    for: 30s
    keep_firing_for: 1m
    labels: {severity: page}
)";

// A stage whose changes go to a state file, as those of the daemon.
class StoredStage {
 public:
  explicit StoredStage(const std::filesystem::path& folder)
      : database_(state::Database::Open({.data_dir = folder}, SystemClock())),
        journal_(*database_, SystemClock()),
        store(*database_, journal_),
        stage(kRules) {
    REQUIRE(store.Open());
    stage.store = &store;
    auto stored = store.Load();
    REQUIRE(stored);
    for (auto& one : *stored) {
      CHECK(one.group == stage.group().key());
      CHECK(stage.group().Restore(one.rule, std::move(one.instance)));
    }
  }

 private:
  std::unique_ptr<state::Database> database_;
  state::Journal journal_;

 public:
  AlertStore store;
  Stage stage;
};

const Labels kLoad{{"__name__", "load"}, {"instance", "a"}};

}  // namespace

TEST_CASE("alerts go on after a restart where they were", "[rules]") {
  const vigia::test::TempDir dir;
  {
    StoredStage before(dir.path());
    before.stage.Put(kLoad, 0, 11);
    before.stage.Evaluate(0);
    CHECK(before.stage.Active() == "pending 11 since 0\n");
  }
  {
    StoredStage after(dir.path());
    CHECK(after.stage.Active() == "pending 11 since 0\n");
    after.stage.Put(kLoad, 30, 12);
    after.stage.Evaluate(30);
    CHECK(after.stage.Active() == "firing 12 since 0\n");
  }
  {
    StoredStage after(dir.path());
    // Firing is told at once: whoever was to hear it before may not have.
    after.stage.Put(kLoad, 45, 13);
    after.stage.Evaluate(45);
    CHECK(after.stage.Posted() ==
          "{alertname=\"High\", instance=\"a\", severity=\"page\"} 30..285\n");
    after.stage.Put(kLoad, 60, 1);
    after.stage.Evaluate(60);
    CHECK(after.stage.Active() == "firing 13 since 0\n");
  }
  StoredStage after(dir.path());
  // keep_firing_for goes on, too.
  after.stage.Put(kLoad, 105, 1);
  after.stage.Evaluate(105);
  CHECK(after.stage.Active() == "firing 13 since 0\n");
  after.stage.Put(kLoad, 120, 1);
  after.stage.Evaluate(120);
  CHECK(after.stage.Active().empty());
  CHECK(after.stage.Posted() ==
        "{alertname=\"High\", instance=\"a\", severity=\"page\"} 30..120\n");
}

TEST_CASE("when anything was evaluated last is known after a restart", "[rules]") {
  const vigia::test::TempDir dir;
  {
    StoredStage before(dir.path());
    CHECK(before.store.LastEvaluation() == 0);
    before.stage.Evaluate(0);  // nothing changes, and yet it is noted
    before.stage.Evaluate(20);
    before.stage.Evaluate(40);
    before.stage.Evaluate(60);
    CHECK(before.store.LastEvaluation() == kStart + 40'000);  // to half a minute
    before.stage.Evaluate(30);                                // the clock was set back
    CHECK(before.store.LastEvaluation() == kStart + 30'000);
  }
  StoredStage after(dir.path());
  CHECK(after.store.LastEvaluation() == kStart + 30'000);
}

TEST_CASE("a process that ends before what was there has come again leaves the older note",
          "[rules]") {
  const vigia::test::TempDir dir;
  StoredStage(dir.path()).stage.Evaluate(0);
  {
    StoredStage second(dir.path());
    second.store.NoteFrom(kStart + 600'000 + 300'000);
    second.stage.Evaluate(600);
    second.stage.Evaluate(899);
    CHECK(second.store.LastEvaluation() == kStart);
    second.stage.Evaluate(900);
    CHECK(second.store.LastEvaluation() == kStart + 900'000);
  }
}

TEST_CASE("a resolved alert is told after a restart and forgotten after 15 minutes", "[rules]") {
  const vigia::test::TempDir dir;
  {
    StoredStage before(dir.path());
    for (int t = 0; t <= 30; t += 30) {
      before.stage.Put(kLoad, t, 11);
      before.stage.Evaluate(t);
    }
    for (int t = 45; t <= 105; t += 15) {
      before.stage.Put(kLoad, t, 1);
      before.stage.Evaluate(t);
    }
    CHECK(before.stage.Active().empty());
  }
  {
    StoredStage after(dir.path());
    after.stage.Put(kLoad, 120, 1);
    after.stage.Evaluate(120);
    CHECK(after.stage.Posted() ==
          "{alertname=\"High\", instance=\"a\", severity=\"page\"} 30..105\n");
    after.stage.Put(kLoad, 1200, 1);
    after.stage.Evaluate(1200);
  }
  auto database = state::Database::Open({.data_dir = dir.path()}, SystemClock());
  state::Journal journal(*database, SystemClock());
  CHECK(AlertStore(*database, journal).Load()->empty());
}

TEST_CASE("transitions are in the journal, with value and expression", "[rules]") {
  const vigia::test::TempDir dir;
  {
    StoredStage stage(dir.path());
    for (int t = 0; t <= 30; t += 15) {
      stage.stage.Put(kLoad, t, 11);
      stage.stage.Evaluate(t);
    }
  }
  auto database = state::Database::Open({.data_dir = dir.path()}, SystemClock());
  state::Journal journal(*database, SystemClock());
  const auto events = journal.Query({.alert = "High"});
  REQUIRE(events);
  REQUIRE(events->size() == 2);
  CHECK((*events)[0].type == "alert.firing");
  CHECK((*events)[0].time == kStart + 30'000);
  CHECK((*events)[0].details.find(R"("value":11,"group":"rules.yml;g","expr":"load > 10")") !=
        std::string::npos);
  CHECK((*events)[1].type == "alert.pending");
}

TEST_CASE("while the state file refuses, alerts go on from memory and are written later",
          "[rules]") {
  const vigia::test::TempDir dir;
  StoredStage stage(dir.path());
  auto other = state::Database::Open({.data_dir = dir.path(), .busy_timeout = Milliseconds(0)},
                                     SystemClock());
  REQUIRE(other->Write([&](state::Session&) -> Status {
    // The file is locked for as long as this runs.
    for (int t = 0; t <= 30; t += 15) {
      stage.stage.Put(kLoad, t, 11);
      stage.stage.Evaluate(t);
    }
    CHECK(stage.stage.Active() == "firing 11 since 0\n");
    CHECK(stage.store.waiting() == 1);
    return Ok();
  }));
  stage.stage.Put(kLoad, 120, 12);
  stage.stage.Evaluate(120);
  CHECK(stage.store.waiting() == 0);
  CHECK(stage.store.Load()->at(0).instance.fired_at == kStart + 30'000);
}

TEST_CASE("what waits is written by the next evaluation, though nothing changes", "[rules]") {
  const vigia::test::TempDir dir;
  StoredStage stage(dir.path());
  auto other = state::Database::Open({.data_dir = dir.path(), .busy_timeout = Milliseconds(0)},
                                     SystemClock());
  REQUIRE(other->Write([&](state::Session&) -> Status {
    stage.stage.Put(kLoad, 0, 11);
    stage.stage.Evaluate(0);
    return Ok();
  }));
  CHECK(stage.store.waiting() == 1);
  CHECK(stage.store.Load()->empty());
  stage.stage.Evaluate(1);
  CHECK(stage.store.waiting() == 0);
  REQUIRE(stage.store.Load()->size() == 1);
  CHECK(stage.store.Load()->at(0).instance.active_at == kStart);
}

}  // namespace vigia::alerting::rules::test
