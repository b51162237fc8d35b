#include "alerting/state/journal.h"

#include <catch2/catch.hpp>

#include "alerting/fingerprint.h"
#include "tests/support/temp_dir.h"

using namespace vigia;
using namespace vigia::alerting;
using namespace vigia::alerting::state;

namespace {

Event MakeEvent(Timestamp time, std::string type, std::string_view alert = "Down",
                std::string details = "{}") {
  const Labels labels{{"alertname", alert}, {"instance", "db\"1"}};
  return {.time = time,
          .type = std::move(type),
          .fingerprint = Fingerprint(labels),
          .labels = labels,
          .details = std::move(details)};
}

// "time type alert", newest first.
std::string Found(Journal& journal, const EventFilter& filter = {}) {
  const auto events = journal.Query(filter);
  if (!events) return "error: " + events.error().message();
  std::string out;
  for (const Event& event : *events) {
    out += std::to_string(event.time) + " " + event.type + " " +
           std::string(event.labels.Get("alertname")) + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("journal answers by time, alert, type and limit", "[state]") {
  auto database = Database::InMemory();
  ManualClock clock;
  Journal journal(*database, clock);
  journal.Add(MakeEvent(10, "alert.pending"));
  journal.Add(MakeEvent(20, "alert.firing"));
  journal.Add(MakeEvent(20, "alert.firing", "Slow"));
  journal.Add(MakeEvent(30, "notification.sent"));

  REQUIRE(Found(journal) ==
          "30 notification.sent Down\n20 alert.firing Slow\n20 alert.firing Down\n"
          "10 alert.pending Down\n");
  REQUIRE(Found(journal, {.since = 20, .until = 30}) ==
          "20 alert.firing Slow\n20 alert.firing Down\n");
  REQUIRE(Found(journal, {.alert = "Down", .type = "alert."}) ==
          "20 alert.firing Down\n10 alert.pending Down\n");
  REQUIRE(Found(journal, {.type = "alert.pending"}) == "10 alert.pending Down\n");
  REQUIRE(Found(journal, {.limit = 1}) == "30 notification.sent Down\n");
  REQUIRE(Found(journal, {.fingerprint = MakeEvent(0, "", "Slow").fingerprint}) ==
          "20 alert.firing Slow\n");
  REQUIRE(Found(journal, {.before_id = 2}) == "10 alert.pending Down\n");
}

TEST_CASE("journal gives back labels and details as they were", "[state]") {
  const test::TempDir dir;
  ManualClock clock;
  {
    auto database = Database::Open({.data_dir = dir.path()}, clock);
    Journal journal(*database, clock);
    journal.Add(MakeEvent(10, "alert.firing", "Down", R"({"value":97.2})"));
  }
  auto database = Database::Open({.data_dir = dir.path()}, clock);
  Journal journal(*database, clock);
  const auto events = journal.Query({});
  REQUIRE(events);
  REQUIRE(events->size() == 1);
  REQUIRE(events->front().labels.ToString() == R"({alertname="Down", instance="db\"1"})");
  REQUIRE(events->front().details == R"({"value":97.2})");
  REQUIRE(events->front().fingerprint == MakeEvent(0, "").fingerprint);
}

TEST_CASE("journal keeps events in memory while the file cannot be written", "[state]") {
  auto database = Database::InMemory();
  ManualClock clock;
  Journal journal(*database, clock);
  const auto run = [&](std::string_view sql) {
    REQUIRE(database->Write([&](Session& session) { return session.RunAll(sql); }));
  };
  run("ALTER TABLE event RENAME COLUMN bytes TO octets");
  journal.Add(MakeEvent(10, "alert.firing"));
  REQUIRE(!journal.Flush());
  REQUIRE(Found(journal) == "10 alert.firing Down\n");
  REQUIRE(Found(journal, {.type = "alert.pending"}) == "");
  run("ALTER TABLE event RENAME COLUMN octets TO bytes");
  REQUIRE(journal.Flush());
  REQUIRE(Found(journal) == "10 alert.firing Down\n");
  for (std::size_t i = 0; i < Journal::kMaxQueue + 5; ++i) journal.Add(MakeEvent(20, "x"));
  REQUIRE(journal.dropped() == 5);
}

TEST_CASE("journal forgets what is too old, and what is too much", "[state]") {
  auto database = Database::InMemory();
  ManualClock clock(1'000'000);
  Journal journal(*database, clock, {.age = 100s, .max_bytes = 10'000});
  journal.Add(MakeEvent(899'999, "old"));
  journal.Add(MakeEvent(900'000, "new"));
  REQUIRE(journal.Flush());
  REQUIRE(journal.Prune());
  REQUIRE(Found(journal) == "900000 new Down\n");

  for (Timestamp i = 0; i < 100; ++i) {
    journal.Add(MakeEvent(950'000 + i, "big", "Down", "\"" + std::string(400, 'x') + "\""));
  }
  REQUIRE(journal.Flush());
  REQUIRE(journal.Prune());
  const auto left = journal.Query({});
  REQUIRE(left);
  // Each takes 100 + 3 + 39 + 402 bytes, and 9,000 may stay.
  REQUIRE(left->size() == 16);
  REQUIRE(left->front().time == 950'099);
}

TEST_CASE("fingerprints are Alertmanager's", "[state]") {
  // FNV-1a of nothing is its offset basis.
  REQUIRE(FingerprintText(Fingerprint({})) == "cbf29ce484222325");
  // Computed by hand: FNV-1a over "a", 0xff, "b", 0xff.
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::uint64_t c : {0x61U, 0xffU, 0x62U, 0xffU}) {
    hash = (hash ^ c) * 0x100000001b3;
  }
  REQUIRE(Fingerprint({{"a", "b"}}) == hash);
  REQUIRE(ParseFingerprint(FingerprintText(hash)) == hash);
  REQUIRE(!ParseFingerprint("12"));
  REQUIRE(!ParseFingerprint("zzzzzzzzzzzzzzzz"));
}
