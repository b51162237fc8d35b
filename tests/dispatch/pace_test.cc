// The options of the dispatcher, and many groups at once.

#include <catch2/catch.hpp>
#include <set>

#include "tests/dispatch/bench.h"

using namespace vigia;
using vigia::test::DispatchBench;
using vigia::test::kOne;
using vigia::test::Named;

TEST_CASE("a reload changes early_flush and start_hold", "[dispatch]") {
  DispatchBench bench(kOne, {.early_flush = false});
  bench.Fire(Named("A"));
  bench.Advance(10s + 1min + 5s);
  bench.Apply({.early_flush = true});
  bench.Advance(5s);
  CHECK(bench.Told() == "team [A|] first notification");
  bench.End(Named("A"));
  bench.Advance(10s);
  CHECK(bench.Told() == "team [|A] all alerts resolved");

  DispatchBench held(kOne, {.start_hold = 1min});
  held.Restart();
  held.Fire(Named("A"));
  held.Advance(20s);
  CHECK(held.Told() == "");
  held.Apply({.start_hold = 30s});  // counts from the start
  held.Advance(9s);
  CHECK(held.Told() == "");
  held.Advance(2s);
  CHECK(held.Told() == "team [A|] first notification");
}

TEST_CASE("a storm of groups is told in portions, each group once and in order", "[dispatch]") {
  constexpr int kGroups = 1201;  // a round takes 500
  DispatchBench bench(kOne);
  for (int i = 0; i < kGroups; ++i) {
    bench.Fire(Labels{{"alertname", "A"}, {"job", std::to_string(i)}});
  }
  bench.store().commits = 0;
  bench.Advance(10s);
  CHECK(bench.store().commits >= 3);
  REQUIRE(bench.notices().size() == kGroups);
  std::set<std::string> told;
  for (const auto& notice : bench.notices()) told.insert(notice.key.group_key);
  CHECK(told.size() == kGroups);
  CHECK(bench.store().notices.size() == kGroups);
  bench.Advance(30s);
  CHECK(bench.notices().size() == kGroups);
}
