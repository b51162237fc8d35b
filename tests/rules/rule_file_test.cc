#include "alerting/rules/rule_file.h"

#include <catch2/catch.hpp>

namespace vigia::alerting::rules {
namespace {

std::string Faults(std::string_view text) {
  config::Diagnostics diagnostics("r.yml");
  ParseRuleFile(text, diagnostics);
  return diagnostics.ToString();
}

std::string RuleFaults(const std::string& rule) {
  return Faults("groups:\n- name: g\n  rules:\n  - " + rule + "\n");
}

}  // namespace

TEST_CASE("every key of a rule file is read", "[rules]") {
  config::Diagnostics diagnostics("r.yml");
  const auto groups = ParseRuleFile(R"(
groups:
- name: g
  interval: 30s
  query_offset: 1m
  limit: 7
  labels: {team: web, severity: none}
  rules:
  - record: job:up:sum
    expr: sum by(job)(up)
  - alert: Down
    expr: |
      up
        == 0
    for: 5m
    keep_firing_for: 0s
    labels: {severity: page}
    annotations: {summary: "{{ $labels.instance }}", vigia_no_data: alert, vigia_for_tolerance: 3}
)",
                                    diagnostics);
  CHECK(diagnostics.ToString().empty());
  REQUIRE(groups.size() == 1);
  CHECK(groups[0].Key() == "r.yml;g");
  CHECK(groups[0].interval == Milliseconds(30'000));
  CHECK(groups[0].query_offset == Milliseconds(60'000));
  CHECK(groups[0].limit == 7);
  REQUIRE(groups[0].rules.size() == 2);
  const auto& record = *groups[0].rules[0];
  CHECK(record.kind == RuleDefinition::Kind::kRecording);
  CHECK(record.expression == "sum by (job) (up)");
  CHECK(record.labels == Templates{{"severity", "none"}, {"team", "web"}});
  const auto& alert = *groups[0].rules[1];
  CHECK(alert.name == "Down");
  CHECK(alert.expression == "up == 0");
  CHECK(alert.hold == Milliseconds(300'000));
  CHECK(alert.labels == Templates{{"severity", "page"}, {"team", "web"}});
  CHECK(alert.no_data == NoData::kAlert);
  CHECK(alert.tolerance == 3);
}

TEST_CASE("an empty rule file has no groups and no faults", "[rules]") {
  CHECK(Faults("").empty());
  CHECK(Faults("groups: []\n").empty());
}

TEST_CASE("faults of a rule file name line and column", "[rules]") {
  CHECK(Faults("groups:\n- name: g\n  intervall: 5s\n") ==
        "r.yml:3:3: unknown key 'intervall' in group, did you mean 'interval'?\n");
  CHECK(Faults("groups:\n- name: g\n- name: g\n") ==
        "r.yml:3:3: groupname: \"g\" is repeated in the same file\n");
  CHECK(RuleFaults("{alert: A, expr: 'sum(up'}")
            .starts_with("r.yml:4:22: could not parse expression: 1:7: parse error:"));
  CHECK(RuleFaults("{alert: A, record: b, expr: up}") ==
        "r.yml:4:6: alert: only one of 'record' and 'alert' must be set\n");
  CHECK(RuleFaults("{expr: up}").find("one of 'record' or 'alert' must be set") !=
        std::string::npos);
  CHECK(RuleFaults("{record: a, expr: up, for: 5m}") ==
        "r.yml:4:27: for: a recording rule has no 'for'\n");
  CHECK(RuleFaults("{record: a, expr: up, annotations: {b: c}}").find("no annotations") !=
        std::string::npos);
  CHECK(RuleFaults("{alert: A, expr: up, for: 5 minutes}").starts_with("r.yml:4:31: for:"));
  CHECK(RuleFaults("{alert: A, expr: up, labels: {__name__: x}}").starts_with("r.yml:4:35:"));
  CHECK(RuleFaults("{alert: A}").find("expr") != std::string::npos);
  CHECK(RuleFaults("{alert: A, expr: 'up[5m]'}").find("not a range vector") != std::string::npos);
  CHECK(RuleFaults("{alert: A, expr: up, annotations: {vigia_no_data: hold}}")
            .find("keep, ok or alert") != std::string::npos);
}

TEST_CASE("what a rule needs is a fault where it is left empty", "[rules]") {
  CHECK(RuleFaults("{ alert: A, expr: '' }") ==
        "r.yml:4:17: expr: is empty; write the PromQL to evaluate\n");
  CHECK(RuleFaults("{ record: a, expr: ' ' }").find("expr: is empty") != std::string::npos);
  CHECK(RuleFaults("{ alert: '', expr: up }") ==
        "r.yml:4:7: alert: one of 'record' or 'alert' must be set\n");
  CHECK(Faults("groups: [ { name: '', rules: [] } ]\n").find("name: the group's name") !=
        std::string::npos);
  // What it can do without is not.
  CHECK(RuleFaults("{ alert: A, expr: up, for: ~, keep_firing_for: ~, labels: ~ }").empty());
  CHECK(Faults("groups: [ { name: g, interval: ~, rules: ~ } ]\n").empty());
}

TEST_CASE("all faults of a rule file are found in one pass", "[rules]") {
  const auto faults = Faults(
      "groups:\n- name: g\n  rules:\n  - {alert: A, expr: '('}\n  - {record: b, expr: ')'}\n"
      "other: 1\n");
  CHECK(std::count(faults.begin(), faults.end(), '\n') == 3);
}

}  // namespace vigia::alerting::rules
