#include "alerting/rules/runner.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "query/promql/memory_source.h"

namespace vigia::alerting::rules {
namespace {

using namespace std::chrono_literals;

std::vector<GroupDefinition> Parse(std::string_view text) {
  config::Diagnostics diagnostics("r.yml");
  auto groups = ParseRuleFile(text, diagnostics);
  REQUIRE(diagnostics.ok());
  return groups;
}

constexpr std::string_view kRules =
    "groups: [{name: g, interval: 15s, rules: [{alert: High, expr: load > 10}]}]";

// A runner with one thread, for the store in memory is not for several.
struct Fixture {
  Fixture() { runner.Apply(Parse(kRules), {}); }

  GroupReport report() const { return runner.Groups().at(0)->report(); }
  // Until the group has been evaluated so often, for at most 10 s.
  bool AwaitIterations(std::uint64_t count) const {
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (report().iterations != count) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::yield();
    }
    return true;
  }

  ManualClock clock;
  promql::MemorySource data;
  const promql::Engine engine{{}};
  Runner runner{
      clock,
      {.source = data, .engine = engine},
      {data},
      {.threads = 1, .interval_of = [](const InstanceId&) { return Milliseconds(15'000); }}};
};

}  // namespace

TEST_CASE("groups are evaluated at every tick until they are stopped", "[rules]") {
  Fixture fixture;
  fixture.runner.Start();
  for (std::uint64_t i = 1; i <= 3; ++i) {
    fixture.clock.AwaitWaiters(1);
    fixture.clock.Advance(15s);
    REQUIRE(fixture.AwaitIterations(i));
  }
  const auto last = fixture.report().last_evaluation;
  CHECK(last <= fixture.clock.Wall());
  CHECK(last > fixture.clock.Wall() - 15'000);
  fixture.runner.Stop();
  fixture.clock.Advance(60s);
  CHECK(fixture.report().iterations == 3);
}

TEST_CASE("a reading makes the groups that it feeds due, and no others", "[rules]") {
  Fixture fixture;
  fixture.runner.Start();
  const auto head = [](std::string name) {
    return std::make_shared<const FamilyHead>(FamilyHead{.name = std::move(name)});
  };
  const auto publish = [&](const std::string& name) {
    auto reading = std::make_shared<Reading>();
    reading->time = fixture.clock.Wall();
    reading->families.push_back(
        {std::make_shared<const Family>(head(name), std::vector{Labels({{"__name__", name}})}),
         {11},
         {}});
    fixture.runner.Publish({"scrape", name}, reading);
    return reading->time;
  };
  fixture.clock.AwaitWaiters(1);
  fixture.data.Add({{"__name__", "load"}}, fixture.clock.Wall(), 11);
  publish("other");
  const auto read = publish("load");
  fixture.clock.AwaitWaiters(1);
  fixture.clock.Advance(25ms);
  REQUIRE(fixture.AwaitIterations(1));
  CHECK(fixture.report().last_evaluation == read + 25);
  const auto& rule =
      dynamic_cast<const AlertingRule&>(*fixture.runner.Groups().at(0)->rules().at(0));
  CHECK(rule.counts().firing == 1);
}

TEST_CASE("a reload keeps groups by file and name, and ends the series of those that go",
          "[rules]") {
  Fixture fixture;
  fixture.data.Add({{"__name__", "load"}}, fixture.clock.Wall(), 11);
  fixture.runner.Start();
  fixture.clock.AwaitWaiters(1);
  fixture.clock.Advance(15s);
  REQUIRE(fixture.AwaitIterations(1));
  fixture.runner.Apply(Parse(kRules), {});
  CHECK(fixture.report().iterations == 1);
  fixture.runner.Stop();
  fixture.runner.Apply({}, {});
  CHECK(fixture.runner.Groups().empty());
  const std::vector<Matcher> alerts{{Matcher::Op::kEqual, "__name__", "ALERTS"}};
  const auto series = fixture.data.Select(alerts, {0, fixture.clock.Wall()});
  REQUIRE(series->size() == 1);
  Columns samples;
  REQUIRE(series->at(0)->Read(0, fixture.clock.Wall(), samples));
  CHECK(IsGone(samples.values.back()));
}

}  // namespace vigia::alerting::rules
