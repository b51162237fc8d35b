// What the state file gives back is what was written.

#include <catch2/catch.hpp>
#include <optional>

#include "alerting/dispatch/database_store.h"
#include "tests/support/temp_dir.h"

using namespace vigia;
using namespace vigia::alerting;
using namespace vigia::alerting::dispatch;

namespace {

AlertPtr Known(std::string_view name) {
  KnownAlert known{.end_assumed = true};
  known.alert = {.labels = Labels{{"alertname", name}, {"größe", "\"5\"\n"}},
                 .annotations = Labels{{"summary", "s"}},
                 .starts_at = 1,
                 .ends_at = 2,
                 .updated_at = 3,
                 .generator_url = "http://x/?a=b",
                 .held = true};
  known.fingerprint = Fingerprint(known.alert.labels);
  return std::make_shared<const KnownAlert>(known);
}

Notice NoticeOf(const std::string& id) {
  Notice notice{.id = id, .key = {"{}:{}", "team", 1}, .group_labels = Labels{{"job", "x"}}};
  notice.route_labels = {{"a", "{{ .b }}"}};
  notice.alerts = {Known("A"), Known("B")};
  notice.time = 7;
  notice.reason = "first notification";
  return notice;
}

}  // namespace

TEST_CASE("everything that is committed is loaded again", "[dispatch]") {
  const auto database = state::Database::InMemory();
  ManualClock clock;
  state::Journal journal(*database, clock);
  DatabaseStore store(*database);
  Changes changes;
  changes.alerts = {Known("A"), Known("B")};
  Silence silence{.id = "s1",
                  .matchers = {route::ParseMatchers("a=\"b\",c=~\"d|\\\\.\"").value(),
                               route::ParseMatchers("\"kind of\"!=x").value()},
                  .starts_at = 1,
                  .ends_at = 2,
                  .updated_at = 3,
                  .created_by = "ann",
                  .comment = "it's \"fine\"",
                  .annotations = {{"k", "v"}}};
  changes.silences = {silence};
  changes.acks = {{.fingerprint = ~AlertId{0}, .by = "ann", .comment = "c", .time = 1, .until = 9}};
  const LogKey key{"{}:{}", "team", 1};
  changes.log = {{key, {.time = 5, .firing = {1, ~AlertId{0}}, .resolved = {2}, .owed = {1}}}};
  changes.notices = {NoticeOf("n1"), NoticeOf("n2"), NoticeOf("n3")};
  changes.results = {
      {.id = "n1", .key = key, .state = NoticeResult::State::kDelivered, .handle = "message 5"},
      {.id = "n2",
       .key = key,
       .state = NoticeResult::State::kRetrying,
       .attempts = 2,
       .answer = "HTTP 500"},
      {.id = "n3",
       .key = key,
       .state = NoticeResult::State::kDead,
       .time = 11,
       .answer = "HTTP 404"}};
  changes.events = {{.time = 1,
                     .type = "alert.routed",
                     .alert = Known("A")->alert.labels,
                     .details = {{"routes", "\"{}\""}}}};
  REQUIRE(store.Commit(changes));
  const auto events = journal.Query({});
  REQUIRE(events);
  REQUIRE(events->size() == 1);
  CHECK(events->front().fingerprint == Known("A")->fingerprint);
  CHECK(events->front().details == R"({"routes":"\"{}\""})");

  const auto loaded = store.Load();
  REQUIRE(loaded);
  REQUIRE(loaded->alerts.size() == 2);
  const auto& alert =
      *loaded->alerts[loaded->alerts[0]->alert.labels.Get("alertname") == "A" ? 0 : 1];
  CHECK(alert.fingerprint == Known("A")->fingerprint);
  CHECK(alert.alert.labels == Known("A")->alert.labels);
  CHECK(alert.alert.annotations == Known("A")->alert.annotations);
  CHECK(alert.alert.starts_at == 1);
  CHECK(alert.alert.ends_at == 2);
  CHECK(alert.alert.updated_at == 3);
  CHECK(alert.alert.generator_url == "http://x/?a=b");
  CHECK(alert.alert.held);
  CHECK(alert.end_assumed);
  REQUIRE(loaded->silences.size() == 1);
  CHECK(loaded->silences[0].matchers == silence.matchers);
  CHECK(loaded->silences[0].comment == silence.comment);
  CHECK(loaded->silences[0].annotations == silence.annotations);
  REQUIRE(loaded->acks.size() == 1);
  CHECK(loaded->acks[0].fingerprint == ~AlertId{0});
  CHECK(loaded->acks[0].until == 9);
  REQUIRE(loaded->log.contains(key));
  CHECK(loaded->log.at(key).firing == AlertIds{1, ~AlertId{0}});
  CHECK(loaded->log.at(key).owed == AlertIds{1});
  REQUIRE(loaded->notices.size() == 2);
  CHECK(loaded->notices[0].notice.id == "n2");
  CHECK(loaded->notices[0].attempts == 2);
  CHECK(loaded->notices[0].answer == "HTTP 500");
  CHECK_FALSE(loaded->notices[0].dead);
  CHECK(loaded->notices[0].notice.alerts.size() == 2);
  CHECK(loaded->notices[0].notice.group_labels == Labels{{"job", "x"}});
  CHECK(loaded->notices[0].notice.route_labels.at("a") == "{{ .b }}");
  CHECK(loaded->notices[1].dead);
  CHECK(loaded->handles.at(key) == "message 5");
}

TEST_CASE("what is forgotten is gone", "[dispatch]") {
  const auto database = state::Database::InMemory();
  ManualClock clock;
  state::Journal journal(*database, clock);
  DatabaseStore store(*database);
  Changes changes;
  changes.alerts = {Known("A")};
  changes.log = {{{"g", "team", 0}, {}}};
  REQUIRE(store.Commit(changes));
  Changes later;
  later.forgotten_alerts = {Known("A")->fingerprint};
  later.forgotten_log = {{"g", "team", 0}};
  REQUIRE(store.Commit(later));
  CHECK(store.Load()->alerts.empty());
  CHECK(store.Load()->log.empty());
}

TEST_CASE("a state file that is locked at the start is read, and written once it is free",
          "[dispatch]") {
  const vigia::test::TempDir dir;
  const auto open = [&] {
    return state::Database::Open({.data_dir = dir.path(), .busy_timeout = 0ms}, SystemClock());
  };
  Changes changes;
  changes.notices = {NoticeOf("n1")};
  REQUIRE(DatabaseStore(*open()).Commit(changes));

  const auto other = open();
  const auto database = open();
  std::optional<DatabaseStore> store;
  REQUIRE(other->Write(
      [&](state::Session&) {
        store.emplace(*database);
        CHECK_FALSE(store->Commit(changes));
        const auto known = store->Load();
        REQUIRE(known);
        CHECK(known->notices.size() == 1);
        return Ok();
      },
      state::Durability::kProcess));
  changes.notices = {NoticeOf("n2")};
  REQUIRE(store->Commit(changes));
  CHECK(store->Load()->notices.size() == 2);
}
