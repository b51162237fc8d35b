// The life of an alert, evaluation by evaluation: what the alert generator specification of
// prometheus/compliance asks for, and what differs where data is unknown.

#include <catch2/catch.hpp>

#include "tests/rules/stage.h"

namespace vigia::alerting::rules::test {
namespace {

constexpr std::string_view kHigh = R"(
groups:
- name: g
  interval: 15s
  rules:
  - alert: High
    expr: load > 10
    for: 30s
    labels: {severity: page, host: "{{ $labels.instance }}"}
    annotations: {summary: "{{ $value }} on {{ $labels.instance }}"}
)";

const Labels kLoad{{"__name__", "load"}, {"instance", "a"}};
const std::string kHighLabels = R"({alertname="High", host="a", instance="a", severity="page"})";

std::string Text(std::string_view yaml, std::string_view what, std::string_view with) {
  std::string out(yaml);
  out.replace(out.find(what), what.size(), with);
  return out;
}

}  // namespace

TEST_CASE("an alert is pending, fires after for, resolves, and comes again as a new one",
          "[rules]") {
  Stage stage(kHigh);
  for (int t = 0; t <= 60; t += 15) stage.Put(kLoad, t, 11 + t);
  stage.Put(kLoad, 75, 3);
  stage.Put(kLoad, 90, 20);

  stage.Evaluate(0);
  CHECK(stage.Active() == "pending 11 since 0\n");
  CHECK(stage.Posted().empty());
  CHECK(stage.Read(R"(ALERTS{alertstate="pending",alertname="High",severity="page"})", 0) == "1");
  CHECK(stage.Read(R"(ALERTS_FOR_STATE{alertname="High"})", 0) == std::to_string(kStart / 1000));
  stage.Evaluate(15);
  CHECK(stage.Active() == "pending 26 since 0\n");
  stage.Evaluate(30);
  CHECK(stage.Active() == "firing 41 since 0\n");
  CHECK(stage.Posted() == kHighLabels + " 30..270\n");  // 4 x the resend delay of a minute
  CHECK(stage.Read(R"(ALERTS{alertstate="pending"})", 30) == "gone");
  CHECK(stage.Read(R"(ALERTS{alertstate="firing"})", 30) == "1");
  stage.Evaluate(45);
  CHECK(stage.Posted().empty());
  stage.Evaluate(75);
  CHECK(stage.Active().empty());
  CHECK(stage.Posted() == kHighLabels + " 30..75\n");
  CHECK(stage.Read(R"(ALERTS{alertstate="firing"})", 75) == "gone");
  CHECK(stage.Read("ALERTS_FOR_STATE", 75) == "gone");
  stage.Evaluate(90);
  CHECK(stage.Active() == "pending 20 since 90\n");
  CHECK(stage.Events() ==
        "0 alert.pending\n30 alert.firing\n75 alert.resolved\n90 alert.pending\n");
}

TEST_CASE("a firing alert is sent again after more than the resend delay", "[rules]") {
  Stage stage(Text(kHigh, "30s", "0s"));
  for (int t = 0; t <= 300; t += 15) stage.Put(kLoad, t, 11);
  std::string sent;
  for (int t = 0; t <= 150; t += 15) {
    stage.Evaluate(t);
    if (!stage.Posted().empty()) sent += std::to_string(t) + ":" + stage.Posted();
  }
  CHECK(sent == "0:" + kHighLabels + " 0..240\n75:" + kHighLabels + " 0..315\n150:" + kHighLabels +
                    " 0..390\n");
}

TEST_CASE("a long interval, not the resend delay, says how long an alert is valid", "[rules]") {
  Stage stage(Text(Text(kHigh, "15s", "5m"), "30s", "0s"));
  stage.Put(kLoad, 0, 11);
  stage.Evaluate(0);
  CHECK(stage.Posted() == kHighLabels + " 0..1200\n");
}

TEST_CASE("a resolved alert is told for 15 minutes and then forgotten", "[rules]") {
  Stage stage(Text(kHigh, "30s", "0s"));
  stage.Put(kLoad, 0, 11);
  stage.Evaluate(0);
  int last = 0;
  for (int t = 15; t <= 1800; t += 15) {
    stage.Put(kLoad, t, 1);
    stage.Evaluate(t);
    if (stage.Posted().empty()) continue;
    CHECK(stage.Posted() == kHighLabels + " 0..15\n");
    last = t;
  }
  // Resolved at 15, kept until more than 900 s later; the last resend before that.
  CHECK(last == 15 + 12 * 75);
}

TEST_CASE("a pending alert that goes away is never told", "[rules]") {
  Stage stage(kHigh);
  stage.Put(kLoad, 0, 11);
  stage.Put(kLoad, 15, 1);
  stage.Evaluate(0);
  stage.Evaluate(15);
  CHECK(stage.Active().empty());
  CHECK(stage.Posted().empty());
  CHECK(stage.Read("ALERTS", 15) == "gone");
  CHECK(stage.Events() == "0 alert.pending\n15 alert.dropped\n");
}

TEST_CASE("keep_firing_for counts from the first evaluation without a result", "[rules]") {
  Stage stage(Text(kHigh, "for: 30s", "for: 0s\n    keep_firing_for: 30s"));
  stage.Put(kLoad, 0, 11);
  for (int t = 15; t <= 120; t += 15) stage.Put(kLoad, t, t == 60 ? 12 : 1);
  std::string firing;
  for (int t = 0; t <= 120; t += 15) {
    stage.Evaluate(t);
    if (!stage.Active().empty()) firing += std::to_string(t) + " ";
  }
  // 15 and 30 are kept, 45 is 30 s after the first; 60 is a new alert.
  CHECK(firing == "0 15 30 60 75 90 ");
}

TEST_CASE("two results with the labels of one alert are an error and change nothing", "[rules]") {
  Stage stage(R"(
groups:
- name: g
  rules:
  - alert: A
    expr: '{__name__=~"x|y"}'
)");
  stage.Put({{"__name__", "x"}}, 0, 1);
  stage.Evaluate(0);
  CHECK(stage.Active() == "firing 1 since 0\n");
  stage.Put({{"__name__", "y"}}, 15, 1);
  stage.Evaluate(15);
  CHECK(stage.report().health == RuleReport::Health::kBad);
  CHECK(stage.report().last_error ==
        "vector contains metrics with the same labelset after applying alert labels");
  CHECK(stage.Active() == "firing 1 since 0 held\n");
}

TEST_CASE("more alerts than the limit are discarded, active ones too", "[rules]") {
  Stage stage(R"(
groups:
- name: g
  limit: 1
  rules:
  - {alert: A, expr: x}
)");
  stage.Put({{"__name__", "x"}, {"i", "1"}}, 0, 1);
  stage.Evaluate(0);
  CHECK(stage.Active() == "firing 1 since 0\n");
  stage.Put({{"__name__", "x"}, {"i", "2"}}, 15, 1);
  stage.Evaluate(15);
  CHECK(stage.Active().empty());
  CHECK(stage.report().last_error == "exceeded limit of 1 with 2 alerts");
  CHECK(stage.Read("ALERTS", 15) == "none");
}

TEST_CASE("a failing template stands in the text and loses no alert", "[rules]") {
  Stage stage(R"(
groups:
- name: g
  rules:
  - alert: A
    expr: x
    annotations: {summary: '{{ query "(" | first }}'}
)");
  stage.Put({{"__name__", "x"}}, 0, 1);
  stage.Evaluate(0);
  const auto& rule = dynamic_cast<const AlertingRule&>(*stage.group().rules()[0]);
  CHECK(rule.Active()[0].annotations.Get("summary").starts_with(
      "<error expanding template: error executing template __alert_A:"));
}

TEST_CASE("an alert whose data is unknown holds its state, however long", "[rules]") {
  Stage stage(Text(kHigh, "30s", "0s"));
  stage.Put(kLoad, 0, 11);
  stage.Evaluate(0);
  for (int t = 15; t <= 1200; t += 15) {
    stage.Put(kLoad, t, UnknownMarker());
    stage.Evaluate(t);
    REQUIRE(stage.Active() == "firing 11 since 0 held\n");
  }
  // Posted all the while, so that nobody takes silence for the end.
  CHECK(stage.Posted() == kHighLabels + " 0..1440 held\n");
  stage.Put(kLoad, 1215, 3);
  stage.Evaluate(1215);
  CHECK(stage.Active().empty());
  CHECK(stage.Posted() == kHighLabels + " 0..1215\n");
  CHECK(stage.Events() == "0 alert.firing\n15 alert.held\n1215 alert.resolved\n");
}

TEST_CASE("a gap of one interval never changes when an alert fires", "[rules]") {
  for (const int gap : {15, 30}) {
    Stage stage(kHigh);
    for (int t = 0; t <= 60; t += 15) stage.Put(kLoad, t, t == gap ? UnknownMarker() : 11);
    for (int t = 0; t < 30; t += 15) {
      stage.Evaluate(t);
      CHECK(stage.Active() == "pending 11 since 0" + std::string(t == gap ? " held\n" : "\n"));
    }
    stage.Evaluate(30);
    CHECK(stage.Active() == "firing 11 since 0" + std::string(gap == 30 ? " held\n" : "\n"));
  }
}

TEST_CASE("a pending alert does not fire on data that stays unknown", "[rules]") {
  Stage stage(kHigh);
  stage.Put(kLoad, 0, 11);
  for (int t = 15; t <= 90; t += 15) stage.Put(kLoad, t, UnknownMarker());
  stage.Put(kLoad, 105, 12);
  for (int t = 0; t <= 90; t += 15) stage.Evaluate(t);
  CHECK(stage.Active() == "pending 11 since 0 held\n");
  stage.Evaluate(105);
  CHECK(stage.Active() == "firing 12 since 0\n");
}

TEST_CASE("gone is not unknown: it resolves, but for a stated tolerance", "[rules]") {
  Stage stage(Text(kHigh, "annotations: {", "annotations: {vigia_for_tolerance: \"2\", "));
  stage.Put(kLoad, 0, 11);
  for (int t = 15; t <= 45; t += 15) stage.Put(kLoad, t, GoneMarker());
  stage.Evaluate(0);
  stage.Evaluate(15);
  CHECK(stage.Active() == "pending 11 since 0 held\n");
  stage.Evaluate(30);
  CHECK(stage.Active() == "firing 11 since 0 held\n");
  stage.Evaluate(45);
  CHECK(stage.Active().empty());
}

TEST_CASE("vigia_no_data: ok resolves as Prometheus does", "[rules]") {
  Stage stage(
      Text(Text(kHigh, "annotations: {", "annotations: {vigia_no_data: ok, "), "30s", "0s"));
  stage.Put(kLoad, 0, 11);
  stage.Put(kLoad, 15, UnknownMarker());
  stage.Evaluate(0);
  stage.Evaluate(15);
  CHECK(stage.Active().empty());
}

TEST_CASE("vigia_no_data: alert alerts on what is unknown", "[rules]") {
  Stage stage(
      Text(Text(kHigh, "annotations: {", "annotations: {vigia_no_data: alert, "), "30s", "0s"));
  stage.Put(kLoad, 0, 1);
  stage.Evaluate(0);
  CHECK(stage.Active().empty());
  stage.Put(kLoad, 15, UnknownMarker());
  stage.Evaluate(15);
  CHECK(stage.Active() == "firing NaN since 15\n");
  stage.Put(kLoad, 30, 1);
  stage.Evaluate(30);
  CHECK(stage.Active().empty());
}

TEST_CASE("only the alerts whose own data is unknown are held", "[rules]") {
  Stage stage(Text(kHigh, "30s", "0s"));
  const Labels other{{"__name__", "load"}, {"instance", "b"}};
  stage.Put(kLoad, 0, 11);
  stage.Put(other, 0, 12);
  stage.Evaluate(0);
  stage.Put(kLoad, 15, UnknownMarker());
  stage.Put(other, 15, 2);
  stage.Evaluate(15);
  CHECK(stage.Active() == "firing 11 since 0 held\n");
}

TEST_CASE("what aggregates unknown series is held, too, and so is what is recorded from them",
          "[rules]") {
  Stage stage(R"(
groups:
- name: g
  rules:
  - {record: "job:load:sum", expr: sum by (job) (load), labels: {kind: total}}
  - {alert: A, expr: "job:load:sum > 10"}
)");
  const Labels one{{"__name__", "load"}, {"job", "x"}, {"instance", "a"}};
  stage.Put(one, 0, 11);
  stage.Evaluate(0);
  CHECK(stage.Active(1) == "firing 11 since 0\n");
  for (int t = 15; t <= 600; t += 15) {
    stage.Put(one, t, UnknownMarker());
    stage.Evaluate(t);
    REQUIRE(stage.Active(1) == "firing 11 since 0 held\n");
    REQUIRE(stage.Read("job:load:sum", t) == "unknown");
  }
  stage.Put(one, 615, GoneMarker());
  stage.Evaluate(615);
  CHECK(stage.Read("job:load:sum", 615) == "gone");
  CHECK(stage.Active(1).empty());
}

TEST_CASE("after a restart what was there before is unknown for one look-back", "[rules]") {
  Stage stage(Text(kHigh, "30s", "0s"));
  stage.Put(kLoad, 0, 11);
  stage.Evaluate(0);
  stage.started = kStart + 3600 * 1000;  // an hour later, nothing collected yet
  stage.Evaluate(3601);
  CHECK(stage.Active() == "firing 11 since 0 held\n");
  stage.Evaluate(3600 + 301);
  CHECK(stage.Active().empty());
}

TEST_CASE("a series that had ended before the stop holds nothing after the start", "[rules]") {
  const Labels pod{{"__name__", "errors"}, {"pod", "old"}};
  const Labels other{{"__name__", "errors"}, {"pod", "new"}};
  for (const bool ended : {true, false}) {
    Stage stage(R"(
groups:
- name: g
  rules:
  - { alert: Many, expr: sum(errors) > 10 }
)");
    // The old pod ended an hour before the stop at 3600, or was there until then.
    stage.Put(pod, ended ? 0 : 3590, 5);
    stage.Put(other, 3590, 11);
    stage.Evaluate(3600);
    REQUIRE(stage.Active().starts_with("firing"));
    // Down for ten minutes; then only the new pod is there, and all is well.
    stage.stopped = kStart + 3600 * 1000;
    stage.started = kStart + 4200 * 1000;
    stage.Put(other, 4205, 1);
    stage.Evaluate(4206);
    CHECK(stage.Active().empty() == ended);
    if (!ended) CHECK(stage.Active().ends_with("held\n"));
    stage.Put(other, 4500, 1);
    stage.Evaluate(4200 + 301);
    CHECK(stage.Active().empty());
  }
}

TEST_CASE("who does not know when it stopped holds what had ended, too", "[rules]") {
  Stage stage(Text(kHigh, "30s", "0s"));
  stage.Put(kLoad, 0, 11);
  stage.Evaluate(0);
  REQUIRE(stage.Active().starts_with("firing"));
  stage.started = kStart + 3600 * 1000;
  stage.Evaluate(3601);
  CHECK(stage.Active().ends_with("held\n"));
}

TEST_CASE("a reload keeps alerts by name and labels, whatever the expression", "[rules]") {
  Stage stage(kHigh);
  for (int t = 0; t <= 60; t += 15) stage.Put(kLoad, t, 11);
  stage.Evaluate(0);
  stage.Reload(Text(kHigh, "load > 10", "load > 9"));
  stage.Evaluate(15);
  CHECK(stage.Active() == "pending 11 since 0\n");
  stage.Reload(Text(kHigh, "severity: page", "severity: mail"));
  stage.Evaluate(30);
  CHECK(stage.Active() == "pending 11 since 30\n");
  CHECK(stage.Read(R"(ALERTS{severity="page"})", 30) == "gone");
}

TEST_CASE("query_offset moves the data, not the alerts", "[rules]") {
  Stage stage(Text(Text(kHigh, "interval: 15s", "interval: 15s\n  query_offset: 1m"), "30s", "0s"));
  stage.Put(kLoad, 0, 11);
  stage.Put(kLoad, 15, 1);
  stage.Evaluate(60);
  CHECK(stage.Posted() == kHighLabels + " 60..300\n");
  CHECK(stage.Read("ALERTS", 0) == "1");
  stage.Evaluate(75);
  CHECK(stage.Active().empty());
}

TEST_CASE("external labels are added on sending alone and never replace", "[rules]") {
  Stage stage(R"(
groups:
- name: g
  rules:
  - {alert: A, expr: x}
)",
              {.external_labels = {{"site", "madrid"}, {"i", "other"}}});
  stage.Put({{"__name__", "x"}, {"i", "1"}}, 0, 1);
  stage.Evaluate(0);
  CHECK(stage.Posted() == "{alertname=\"A\", i=\"1\", site=\"madrid\"} 0..240\n");
  CHECK(stage.Read(R"(ALERTS{site="madrid"})", 0) == "none");
}

TEST_CASE("a later rule of a group sees what an earlier one recorded", "[rules]") {
  Stage stage(R"(
groups:
- name: g
  labels: {team: web, kind: group}
  rules:
  - {record: "x:double", expr: "x * 2", labels: {kind: rule}}
  - {alert: A, expr: 'x:double{team="web",kind="rule"} > 3'}
)");
  stage.Put({{"__name__", "x"}}, 0, 2);
  stage.Evaluate(0);
  CHECK(stage.Active(1) == "firing 4 since 0\n");
  stage.Put({{"__name__", "x"}}, 15, GoneMarker());
  stage.Evaluate(15);
  CHECK(stage.Read("x:double", 15) == "gone");
}

}  // namespace vigia::alerting::rules::test
