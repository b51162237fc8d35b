// Who is told what, and when: grouping, pace, inhibition, silences, restarts.

#include "alerting/dispatch/dispatcher.h"

#include <catch2/catch.hpp>

#include "tests/dispatch/bench.h"

using namespace vigia;
using namespace vigia::alerting::dispatch;
namespace route = vigia::alerting::route;
using vigia::test::DispatchBench;
using vigia::test::kOne;
using vigia::test::Named;

namespace {

Silence SilenceOf(DispatchBench& bench, std::string_view matchers, std::chrono::seconds lasting) {
  Silence silence;
  silence.matchers = {route::ParseMatchers(matchers).value()};
  silence.starts_at = bench.clock().Wall();
  silence.ends_at = silence.starts_at + std::chrono::milliseconds(lasting).count();
  silence.created_by = "ann";
  return silence;
}

bool HasEvent(const DispatchBench& bench, std::string_view type) {
  return std::any_of(bench.events().begin(), bench.events().end(),
                     [&](const Event& event) { return event.type == type; });
}

}  // namespace

TEST_CASE("a new group waits for company, then is told once", "[dispatch]") {
  DispatchBench bench(kOne);
  bench.Fire(Named("A"));
  bench.Advance(9s);
  CHECK(bench.Told() == "");
  bench.Fire(Named("B"));
  bench.Advance(1s);
  CHECK(bench.Told() == "team [A,B|] first notification");
  bench.Fire(Named("A"));
  bench.Advance(30min);
  CHECK(bench.Told() == "");
}

TEST_CASE("changes are told at most once per group_interval", "[dispatch]") {
  DispatchBench bench(kOne);
  bench.Fire(Named("A"));
  bench.Advance(10s);
  CHECK(bench.Told() == "team [A|] first notification");
  bench.Fire(Named("B"));
  bench.Advance(59s);
  CHECK(bench.Told() == "");
  bench.Advance(1s);
  CHECK(bench.Told() == "team [A,B|] new alerts added");
  bench.End(Named("A"));
  bench.Advance(1min);
  CHECK(bench.Told() == "team [B|A] some alerts resolved");
  bench.End(Named("B"));
  bench.Advance(1min);
  CHECK(bench.Told() == "team [|B] all alerts resolved");
  bench.Advance(2h);
  CHECK(bench.Told() == "");
}

TEST_CASE("a quiet group tells a change after group_wait instead of the next tick", "[dispatch]") {
  for (const bool early : {true, false}) {
    DispatchBench bench(kOne, {.early_flush = early});
    bench.Fire(Named("A"));
    bench.Advance(10s + 1min + 5s);  // 5 s after a tick
    CHECK(bench.Told() == "team [A|] first notification");
    bench.End(Named("A"));
    bench.Advance(10s);
    CHECK(bench.Told() == (early ? "team [|A] all alerts resolved" : ""));
    bench.Advance(45s);
    CHECK(bench.Told() == (early ? "" : "team [|A] all alerts resolved"));
  }
}

TEST_CASE("what fires on is repeated, unless all of it is acknowledged", "[dispatch]") {
  DispatchBench bench(kOne);
  bench.Fire(Named("A"));
  bench.Advance(10s);
  bench.Advance(1h);
  CHECK(bench.Told() == "team [A|] first notification; team [A|] repeat interval elapsed");
  REQUIRE(bench.dispatcher().Acknowledge(route::ParseMatchers("alertname=A").value(),
                                         {.by = "ann", .comment = "on it"}));
  bench.Advance(3h);
  CHECK(bench.Told() == "");
  bench.Restart();
  bench.dispatcher().Release();
  bench.Advance(3h);
  CHECK(bench.Told() == "");
  bench.Fire(Named("B"));
  bench.Advance(1min);
  CHECK(bench.Told() == "team [A,B|] new alerts added");
  bench.End(Named("B"));
  bench.Advance(1min);
  bench.End(Named("A"));
  bench.Advance(1min);
  CHECK(bench.Told() == "team [A|B] some alerts resolved; team [|A] all alerts resolved");
  bench.Fire(Named("A"));
  bench.Advance(2h);
  CHECK(bench.Told() == "team [A|] first notification; team [A|] repeat interval elapsed");
}

TEST_CASE("an acknowledgement ends at its time", "[dispatch]") {
  DispatchBench bench(kOne);
  bench.Fire(Named("A"));
  bench.Advance(10s);
  bench.Told();
  const auto until = bench.clock().Wall() + 90 * 60'000;
  REQUIRE(bench.dispatcher().Acknowledge({}, {.by = "ann", .until = until}));
  bench.Advance(1h);
  CHECK(bench.Told() == "");
  bench.Advance(31min);
  CHECK(bench.Told() == "team [A|] repeat interval elapsed");
}

TEST_CASE("an alert that came and went before the first notification is not told", "[dispatch]") {
  DispatchBench bench(kOne);
  bench.Fire(Named("A"));
  bench.Advance(5s);
  bench.End(Named("A"));
  bench.Advance(1h);
  CHECK(bench.Told() == "");
}

TEST_CASE("an alert that began long ago does not wait", "[dispatch]") {
  DispatchBench bench(kOne);
  const auto now = bench.clock().Wall();
  const alerting::Alert old{
      .labels = Named("A"), .starts_at = now - 60'000, .ends_at = now + 60'000};
  bench.dispatcher().Post({&old, 1});
  bench.dispatcher().Step();
  CHECK(bench.Told() == "team [A|] first notification");
}

TEST_CASE("an alert that nobody sends again ends at its time", "[dispatch]") {
  DispatchBench bench(kOne);
  const alerting::Alert alert{.labels = Named("A")};  // neither start nor end: five minutes
  bench.dispatcher().Post({&alert, 1});
  bench.Advance(5min);
  CHECK(bench.Told() == "team [A|] first notification");
  bench.Advance(1min);
  CHECK(bench.Told() == "team [|A] all alerts resolved");
}

TEST_CASE("a receiver that wants no ends gets none, but hears of the next start", "[dispatch]") {
  DispatchBench bench(R"(
route: { receiver: quiet, group_wait: 0s, group_interval: 1m }
receivers: [ { name: quiet, webhook_configs: [ { send_resolved: false } ] } ]
)");
  bench.Fire(Named("A"));
  bench.Advance(1min);
  CHECK(bench.Told() == "quiet [A|] first notification");
  bench.End(Named("A"));
  bench.Advance(5min);
  CHECK(bench.Told() == "");
  bench.Fire(Named("A"));
  bench.Advance(1min);
  CHECK(bench.Told() == "quiet [A|] first notification");
}

namespace {

const std::string kInhibit = R"(
route: { receiver: team, group_by: [alertname], group_wait: 10s, group_interval: 1m }
inhibit_rules:
- { source_matchers: [ alertname="Down" ], target_matchers: [ alertname=~"Slow|Down" ], equal: [host] }
receivers: [ { name: team, webhook_configs: [ { url: x } ] } ]
)";

Labels OnHost(std::string_view name, std::string_view host) {
  return Labels{{"alertname", name}, {"host", host}};
}

}  // namespace

TEST_CASE("an alert is held back while its cause fires, on the same host", "[dispatch]") {
  DispatchBench bench(kInhibit);
  bench.Fire(OnHost("Slow", "a"));
  bench.Fire(OnHost("Slow", "b"));
  bench.Fire(OnHost("Down", "a"));
  bench.Advance(1min);
  CHECK(bench.Told() == "team [Down|] first notification; team [Slow|] first notification");
  CHECK(bench.notices()[1].alerts[0]->alert.labels == OnHost("Slow", "b"));
  CHECK(HasEvent(bench, "alert.suppressed"));
  bench.End(OnHost("Down", "a"));
  bench.Advance(2min);
  CHECK(bench.Told() == "team [|Down] all alerts resolved; team [Slow,Slow|] new alerts added");
}

TEST_CASE("alerts on both sides of a rule do not inhibit each other", "[dispatch]") {
  DispatchBench bench(kInhibit);
  bench.Fire({{"alertname", "Down"}, {"host", "a"}, {"i", "1"}});
  bench.Fire({{"alertname", "Down"}, {"host", "a"}, {"i", "2"}});
  bench.Advance(1min);
  CHECK(bench.Told() == "team [Down,Down|] first notification");
}

TEST_CASE("nothing that is inhibited leaks at a start", "[dispatch]") {
  DispatchBench bench(kInhibit);
  bench.Restart();  // not released: the rules have not been evaluated
  bench.Fire(OnHost("Slow", "a"));
  bench.Advance(30s);
  CHECK(bench.Told() == "");
  bench.Fire(OnHost("Down", "a"));
  bench.dispatcher().Release();
  bench.Advance(10s);
  CHECK(bench.Told() == "team [Down|] first notification");
  // And after a restart the cause is known before anybody sends it again.
  bench.Restart();
  bench.dispatcher().Release();
  bench.Fire(OnHost("Slow", "a"));
  bench.Advance(2min);
  CHECK(bench.Told() == "");
}

TEST_CASE("a start is not held for ever", "[dispatch]") {
  DispatchBench bench(kInhibit, {.start_hold = 60s});
  bench.Restart();
  bench.Fire(OnHost("Slow", "a"));
  bench.Advance(59s);
  CHECK(bench.Told() == "");
  bench.Advance(1s);
  CHECK(bench.Told() == "team [Slow|] first notification");
}

TEST_CASE("a silence keeps alerts quiet, but not the end of what was told", "[dispatch]") {
  DispatchBench bench(kOne);
  bench.Fire(Named("A"));
  bench.Fire(Named("B"));
  bench.Advance(10s);
  CHECK(bench.Told() == "team [A,B|] first notification");
  REQUIRE(bench.dispatcher().SetSilence(SilenceOf(bench, "alertname=~\"A|C\"", 10h)));
  bench.Fire(Named("C"));
  bench.Advance(2min);
  CHECK(bench.Told() == "");
  bench.End(Named("C"));  // nobody was told that it fires
  bench.Advance(2min);
  CHECK(bench.Told() == "");
  bench.End(Named("A"));
  bench.Advance(2min);
  CHECK(bench.Told() == "team [B|A] some alerts resolved");
}

TEST_CASE("an end is owed even after others of the group have ended", "[dispatch]") {
  DispatchBench bench(kOne);
  bench.Fire(Named("A"));
  bench.Fire(Named("B"));
  bench.Advance(10s);
  bench.Told();
  REQUIRE(bench.dispatcher().SetSilence(SilenceOf(bench, "alertname=A", 10h)));
  bench.End(Named("B"));
  bench.Advance(2min);
  CHECK(bench.Told() == "team [|B] all alerts resolved");
  bench.End(Named("A"));
  bench.Advance(2min);
  CHECK(bench.Told() == "team [|A] all alerts resolved");
}

TEST_CASE("a silence that has expired may expire again; the order of its matchers says nothing",
          "[dispatch]") {
  DispatchBench bench(kOne);
  auto silence = SilenceOf(bench, "job=a,alertname!=B", 1h);
  const auto id = bench.dispatcher().SetSilence(silence);
  REQUIRE(id);
  REQUIRE(bench.dispatcher().Silences().size() == 1);
  silence = bench.dispatcher().Silences()[0];
  CHECK(silence.matchers[0][0].ToString() == "job=\"a\"");  // as it was given
  std::reverse(silence.matchers[0].begin(), silence.matchers[0].end());
  CHECK(bench.dispatcher().SetSilence(silence) == id);
  CHECK(bench.dispatcher().ExpireSilence(*id));
  const auto ended = bench.dispatcher().Silences()[0].ends_at;
  bench.Advance(1min);
  CHECK(bench.dispatcher().ExpireSilence(*id));
  CHECK(bench.dispatcher().Silences()[0].ends_at == ended);
  const auto& events = bench.events();
  CHECK(std::count_if(events.begin(), events.end(),
                      [](const auto& event) { return event.type == "silence.expired"; }) == 1);
  CHECK_FALSE(bench.dispatcher().ExpireSilence("nothing"));
}

TEST_CASE("a silence survives a restart and ends at its time", "[dispatch]") {
  DispatchBench bench(kOne);
  REQUIRE(bench.dispatcher().SetSilence(SilenceOf(bench, "alertname=A", 1h)));
  bench.Restart();
  bench.dispatcher().Release();
  bench.Fire(Named("A"));
  bench.Advance(59min);
  CHECK(bench.Told() == "");
  bench.Advance(2min);
  CHECK(bench.Told() == "team [A|] first notification");
}

namespace {

const std::string kNights = R"(
route:
  receiver: other
  routes:
  - { matchers: [ job="" ], receiver: team, group_wait: 10s, group_interval: 1m,
      mute_time_intervals: [ nights ] }
time_intervals:
- { name: nights, time_intervals: [ { times: [ { start_time: '22:00', end_time: '24:00' } ] } ] }
receivers: [ { name: team, webhook_configs: [ { url: x } ] }, { name: other } ]
)";

// The bench's time begins on 14 November 2023 at 22:13:20 UTC.
constexpr auto kUntilMidnight = 1h + 46min + 40s;

}  // namespace

TEST_CASE("a muted route tells when its interval is over", "[dispatch]") {
  DispatchBench bench(kNights);
  bench.Fire(Named("A"));
  bench.Advance(kUntilMidnight - 1min);
  CHECK(bench.Told() == "");
  CHECK(HasEvent(bench, "group.muted"));
  CHECK(bench.dispatcher().Alerts().at(0).muted_by == std::vector<std::string>{"nights"});
  bench.Advance(2min);
  CHECK(bench.Told() == "team [A|] first notification");
}

TEST_CASE("an end within a muted interval is told after it, if somebody waits for it",
          "[dispatch]") {
  DispatchBench bench(kNights);
  bench.Advance(kUntilMidnight);
  bench.Fire(Named("A"));
  bench.Advance(21h + 59min);
  CHECK(bench.Told().starts_with("team [A|] first notification"));
  bench.Advance(2min);
  bench.End(Named("A"));
  bench.Fire(Named("B"));
  bench.Advance(1h);
  bench.End(Named("B"));
  bench.Advance(30min);
  CHECK(bench.Told() == "");
  bench.Advance(31min);
  CHECK(bench.Told() == "team [|A] all alerts resolved");
}

TEST_CASE("a restart neither repeats nor forgets", "[dispatch]") {
  DispatchBench bench(kOne);
  bench.Fire(Named("A"));
  bench.Advance(10s);
  CHECK(bench.Told() == "team [A|] first notification");
  bench.Fire(Named("B"));
  bench.Restart();
  bench.dispatcher().Release();
  bench.Advance(59s);
  CHECK(bench.Told() == "");  // the pace of the group goes on
  bench.Advance(1s);
  CHECK(bench.Told() == "team [A,B|] new alerts added");
  // Down for an hour: nobody sent A and B meanwhile, which does not end them.
  bench.clock().Advance(50min);
  bench.Restart();
  bench.dispatcher().Release();
  bench.Advance(2min);
  CHECK(bench.Told() == "");
  bench.End(Named("A"));
  bench.Restart();  // before the end was told
  bench.dispatcher().Release();
  bench.Advance(1min);
  CHECK(bench.Told() == "team [B|A] some alerts resolved");
}

TEST_CASE("an end reaches who was told, although the routes have changed since", "[dispatch]") {
  const std::string both = R"(
route: { receiver: ROOT, group_by: [BY], group_wait: 10s, group_interval: 1m }
receivers:
- { name: team, webhook_configs: [ { url: x } ] }
- { name: other, webhook_configs: [ { url: x } ] }
)";
  const auto with = [&](const std::string& receiver, const std::string& by) {
    auto text = both;
    text.replace(text.find("ROOT"), 4, receiver);
    return text.replace(text.find("BY"), 2, by);
  };
  for (const bool restart : {false, true}) {
    DispatchBench bench(with("team", "job"));
    bench.Fire(Named("A"));
    bench.Advance(10s);
    CHECK(bench.Told() == "team [A|] first notification");
    if (restart) {
      bench.Restart(with("other", "alertname"));
      bench.dispatcher().Release();
    } else {
      bench.Apply(with("other", "alertname"));
    }
    bench.Advance(2min);
    CHECK(bench.Told() == "other [A|] first notification");
    bench.End(Named("A"));
    bench.Advance(3min);
    const auto told = bench.Told();
    CHECK(told.find("team [|A] all alerts resolved") != std::string::npos);
    CHECK(told.find("other [|A] all alerts resolved") != std::string::npos);
    bench.Advance(3h);
    CHECK(bench.Told() == "");
  }
}

TEST_CASE("a notice that died is decided anew", "[dispatch]") {
  DispatchBench bench(kOne);
  bench.Fire(Named("A"));
  bench.Advance(10s);
  CHECK(bench.Told() == "team [A|] first notification");
  const auto& notice = bench.notices().back();
  bench.dispatcher().Report({.id = notice.id,
                             .key = notice.key,
                             .state = NoticeResult::State::kDead,
                             .attempts = 1,
                             .decided = notice.time,
                             .answer = "404"});
  bench.Advance(1min);
  CHECK(bench.Told() == "team [A|] first notification");
}

TEST_CASE("without a disk the dispatcher goes on and writes everything when it is back",
          "[dispatch]") {
  DispatchBench bench(kOne);
  bench.store().broken = true;
  bench.Fire(Named("A"));
  REQUIRE(bench.dispatcher().SetSilence(SilenceOf(bench, "alertname=B", 1h)));
  bench.Advance(10s);
  CHECK(bench.Told() == "team [A|] first notification");
  CHECK(bench.dispatcher().stats().state_at_risk);
  bench.store().broken = false;
  bench.Advance(1min);
  CHECK_FALSE(bench.dispatcher().stats().state_at_risk);
  CHECK(bench.store().alerts.size() == 1);
  CHECK(bench.store().silences.size() == 1);
  CHECK(bench.store().log.size() == 1);
}

TEST_CASE("the thread does what the steps do", "[dispatch]") {
  DispatchBench bench(kOne);
  bench.dispatcher().Start();
  constexpr Timestamp kEver = Timestamp{1} << 60;
  const alerting::Alert alert{
      .labels = Named("A"), .starts_at = bench.clock().Wall(), .ends_at = kEver};
  bench.dispatcher().Post({&alert, 1});
  while (bench.dispatcher().stats().notices == 0) {
    bench.clock().AwaitWaiters(1);
    bench.clock().Advance(1s);
  }
  bench.dispatcher().Stop();
  CHECK(bench.Told().starts_with("team [A|] first notification"));
}
