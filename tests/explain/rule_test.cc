#include "alerting/explain/rule.h"

#include <catch2/catch.hpp>

#include "query/promql/memory_source.h"

namespace vigia::alerting::explain {
namespace {

constexpr Timestamp kStart = 1'700'000'000'000;
constexpr Timestamp kMinute = 60'000;

class Scene {
 public:
  explicit Scene(std::string_view rule) {
    config::Diagnostics diagnostics("r.yml");
    auto groups = rules::ParseRuleFile(
        "groups: [ { name: g, interval: 1m, rules: [ " + std::string(rule) + " ] } ]", diagnostics);
    INFO(diagnostics.ToString());
    REQUIRE(diagnostics.ok());
    group_ = std::make_unique<rules::Group>(groups.at(0), std::make_shared<rules::Settings>());
  }

  void Put(const char* i, Timestamp minute, double value) {
    source_.Add(Labels({{"__name__", "x"}, {"i", i}}), kStart + minute * kMinute, value);
  }
  void Evaluate(Timestamp minute) {
    now_ = kStart + minute * kMinute;
    group_->Evaluate(now_, {.source = source_, .engine = engine_}, {source_});
  }
  RuleExplanation Explain(const std::string& alert = "alertname=\"High\"") {
    return ExplainRule(
        *group_, rule(),
        {.source = source_, .engine = engine_, .time = now_, .about = *route::ParseMatchers(alert)},
        now_ + 15'000);
  }
  const rules::AlertingRule& rule() const {
    return dynamic_cast<const rules::AlertingRule&>(*group_->rules().front());
  }

 private:
  promql::MemorySource source_;
  const promql::Engine engine_{{}};
  std::unique_ptr<rules::Group> group_;
  Timestamp now_ = kStart;
};

}  // namespace

TEST_CASE("a rule tells its way from quiet over pending to firing and held", "[explain]") {
  Scene scene("{ alert: High, expr: x > 5, for: 2m, labels: { severity: page } }");
  CHECK(scene.Explain().verdict == "has not been evaluated yet");
  scene.Put("a", 0, 3);
  scene.Evaluate(0);
  CHECK(scene.Explain().verdict ==
        "does not fire: x > 5 is false for the only series; nearest x{i=\"a\"}: 3 > 5 misses by 2");
  scene.Put("a", 1, 8);
  scene.Evaluate(1);
  CHECK(scene.Explain().verdict ==
        "does not fire yet: the condition holds since 2023-11-14T22:14:20Z, for 2m is over in "
        "1m45s");
  scene.Put("a", 3, 8);
  scene.Evaluate(3);
  auto why = scene.Explain("alertname=\"High\",severity=\"page\",i=\"a\"");
  CHECK(why.verdict == "fires: 1 alert, since 2023-11-14T22:16:20Z, value 8");
  CHECK(why.state == rules::AlertState::kFiring);
  REQUIRE(why.active.size() == 1);
  CHECK(why.expression.series == 1);
  scene.Put("a", 4, UnknownMarker());
  scene.Evaluate(4);
  why = scene.Explain();
  CHECK(why.verdict ==
        "fires: 1 alert, since 2023-11-14T22:16:20Z, value 8; held as firing: its data is missing "
        "for 1 evaluation");
  CHECK(why.expression.cause ==
        "x: data is unknown: the source of 1 series does not answer since 0s");
}

TEST_CASE("what is asked about one series looks at this series alone", "[explain]") {
  Scene scene("{ alert: High, expr: x > 5 }");
  scene.Put("a", 0, 3);
  scene.Put("b", 0, 9);
  scene.Evaluate(0);
  CHECK(scene.Explain("alertname=\"High\",i=\"a\"").verdict ==
        "does not fire: x > 5 is false for the only series; nearest x{i=\"a\"}: 3 > 5 misses by 2");
  CHECK(scene.Explain("i=\"b\"").state == rules::AlertState::kFiring);
}

TEST_CASE("keep_firing_for and a failing expression are told", "[explain]") {
  Scene scene("{ alert: High, expr: x > 5, keep_firing_for: 10m }");
  scene.Put("a", 0, 9);
  scene.Evaluate(0);
  scene.Put("a", 1, 1);
  scene.Evaluate(1);
  CHECK(scene.Explain().verdict ==
        "fires: 1 alert, since 2023-11-14T22:13:20Z, value 9; the condition is false since "
        "2023-11-14T22:14:20Z, keep_firing_for holds it for 10m");

  Scene broken("{ alert: High, expr: x * on() x }");
  broken.Put("a", 0, 9);
  broken.Put("b", 0, 9);
  broken.Evaluate(0);
  CHECK(broken.Explain().verdict.starts_with("cannot be evaluated: "));
}

TEST_CASE("a rule is asked by its name and by the labels that it sets", "[explain]") {
  const Scene scene(R"({ alert: High, expr: x > 5, labels: { severity: page, who: "{{ 1 }}" } })");
  const auto fits = [&](const char* matchers) {
    return CanFit(scene.rule().definition(), *route::ParseMatchers(matchers));
  };
  CHECK(fits("alertname=\"High\""));
  CHECK_FALSE(fits("alertname=\"Low\""));
  CHECK(fits("severity=~\"pa.*\",anything=\"x\""));
  CHECK_FALSE(fits("severity=\"warning\""));
  CHECK(fits("who=\"ann\""));
}

}  // namespace vigia::alerting::explain
