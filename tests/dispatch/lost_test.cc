// Nothing is lost: where a write fails, a delivery dies, or the routes change.

#include <catch2/catch.hpp>

#include "tests/dispatch/bench.h"

using namespace vigia;
using namespace vigia::alerting::dispatch;
using vigia::test::DispatchBench;
using vigia::test::kOne;
using vigia::test::Named;

namespace {

void Report(DispatchBench& bench, NoticeResult::State state) {
  const auto& notice = bench.notices().back();
  bench.dispatcher().Report({.id = notice.id,
                             .key = notice.key,
                             .state = state,
                             .attempts = 1,
                             .decided = notice.time,
                             .answer = "404"});
  bench.dispatcher().Step();
}

}  // namespace

TEST_CASE("a notice decided without a disk is written when it is back", "[dispatch]") {
  DispatchBench bench(kOne);
  bench.Fire(Named("A"));
  bench.store().broken = true;
  bench.Advance(10s);
  REQUIRE(bench.Told() == "team [A|] first notification");
  REQUIRE(bench.store().notices.empty());
  bench.store().broken = false;
  bench.Advance(1min);
  CHECK(bench.store().notices.contains(bench.notices().back().id));
}

TEST_CASE("a delivery reported without a disk is written when it is back", "[dispatch]") {
  DispatchBench bench(kOne);
  bench.Fire(Named("A"));
  bench.Advance(10s);
  REQUIRE(bench.store().notices.size() == 1);
  bench.store().broken = true;
  Report(bench, NoticeResult::State::kDelivered);
  bench.store().broken = false;
  bench.Advance(1min);
  CHECK(bench.store().notices.empty());
}

TEST_CASE("a notice delivered before it could be written does not stay", "[dispatch]") {
  DispatchBench bench(kOne);
  bench.Fire(Named("A"));
  bench.store().broken = true;
  bench.Advance(10s);
  bench.store().broken = false;
  Report(bench, NoticeResult::State::kDelivered);
  bench.Advance(1min);
  CHECK(bench.store().notices.empty());
}

TEST_CASE("what is forgotten without a disk is forgotten when it is back", "[dispatch]") {
  DispatchBench bench(kOne);
  bench.Fire(Named("A"));
  bench.Advance(10s);
  bench.End(Named("A"));
  bench.Advance(2min);
  REQUIRE(bench.store().alerts.size() == 1);
  bench.store().broken = true;
  bench.Advance(20min);
  bench.store().broken = false;
  bench.Advance(1min);
  CHECK(bench.store().alerts.empty());
}

TEST_CASE("an end whose delivery died is told again, not at once", "[dispatch]") {
  for (const bool long_after : {false, true}) {
    DispatchBench bench(kOne);
    bench.Fire(Named("A"));
    bench.Advance(10s);
    REQUIRE(bench.Told() == "team [A|] first notification");
    Report(bench, NoticeResult::State::kDelivered);
    bench.End(Named("A"));
    bench.Advance(1min);
    REQUIRE(bench.Told() == "team [|A] all alerts resolved");
    if (long_after) bench.Advance(1h);  // it is forgotten meanwhile
    Report(bench, NoticeResult::State::kDead);
    if (!long_after) CHECK(bench.Told() == "");
    bench.Advance(1min);
    CHECK(bench.Told() == "team [|A] all alerts resolved");
    Report(bench, NoticeResult::State::kDelivered);
    bench.Advance(30min);
    CHECK(bench.Told() == "");
  }
}

TEST_CASE("an end is told in its old group, which lives on without it", "[dispatch]") {
  const std::string moved = R"(
route:
  receiver: team
  group_by: [job]
  group_wait: 10s
  group_interval: 1m
  repeat_interval: 1h
  routes: [ { receiver: other, matchers: [ alertname=B ] } ]
receivers:
- { name: team, webhook_configs: [ { url: x } ] }
- { name: other, webhook_configs: [ { url: x } ] }
)";
  for (const bool restart : {false, true}) {
    DispatchBench bench(kOne);
    bench.Fire(Named("A"));
    bench.Fire(Named("B"));
    bench.Advance(10s);
    REQUIRE(bench.Told() == "team [A,B|] first notification");
    if (restart) {
      bench.Restart(moved);
      bench.dispatcher().Release();
    } else {
      bench.Apply(moved);
    }
    bench.Advance(2min);
    CHECK(bench.Told() == "other [B|] first notification");
    bench.End(Named("B"));
    bench.Advance(2min);
    const auto told = bench.Told();
    CHECK(told.find("team [A|B] some alerts resolved") != std::string::npos);
    CHECK(told.find("other [|B] all alerts resolved") != std::string::npos);
  }
}
