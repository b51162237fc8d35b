#include "alerting/rules/lint.h"

#include <catch2/catch.hpp>

namespace vigia::alerting::rules {
namespace {

// Findings without their places.
std::string Findings(const std::string& rules) {
  config::Diagnostics diagnostics("r.yml");
  const auto groups = ParseRuleFile("groups:\n- name: g\n  rules:\n" + rules, diagnostics);
  INFO(diagnostics.ToString());
  REQUIRE(diagnostics.ok());
  LintOptions options;
  options.type_of = [](std::string_view name) {
    if (name == "memory_bytes") return MetricType::kGauge;
    return name.ends_with("_total") ? MetricType::kCounter : MetricType::kUnknown;
  };
  std::string out;
  for (const auto& finding : Lint(groups, options)) out += finding.text + "\n";
  return out;
}

std::string OfExpression(const std::string& expression) {
  return Findings("  - {alert: A, expr: '" + expression + "'}\n");
}

std::string OfText(const std::string& expression, const std::string& text) {
  return Findings("  - {alert: A, expr: '" + expression + "', annotations: {s: '" + text + "'}}\n");
}

}  // namespace

TEST_CASE("lint knows gauges from counters", "[rules]") {
  CHECK(OfExpression("rate(memory_bytes[5m]) > 1") ==
        "A: rate() is for counters, and memory_bytes is a gauge: use delta() or deriv()\n");
  CHECK(OfExpression("deriv(x_total[5m]) > 1") ==
        "A: deriv() is for gauges, and x_total is a counter, which starts anew: use increase() or "
        "rate()\n");
  CHECK(OfExpression("rate(x_total[5m]) > 1 and deriv(memory_bytes[5m]) > 0") == "");
}

TEST_CASE("lint finds windows that hold fewer than two samples", "[rules]") {
  CHECK(OfExpression("rate(x_total[20s]) > 1") ==
        "A: rate() over 20s sees fewer than two samples most of the time: values come every 15s, "
        "so write at least [1m]\n");
  CHECK(OfExpression("rate(x_total[30s]) > 1") == "");
  CHECK(OfExpression("max_over_time(x[10s]) > 1") == "");
}

TEST_CASE("lint finds alerts without a condition", "[rules]") {
  const std::string finding =
      "A: the alert has no condition, so it fires as long as its series exist\n";
  CHECK(OfExpression("up") == finding);
  CHECK(OfExpression("sum(rate(x_total[5m]))") == finding);
  CHECK(OfExpression("up == bool 0") == finding);
  CHECK(OfExpression("up == 0 or x") == finding);
  CHECK(OfExpression("count(up == 0)") == "");
  CHECK(OfExpression("absent(up)") == "");
  CHECK(OfExpression("up unless on (job) x") == "");
  CHECK(OfExpression("vector(1)") == "");
}

TEST_CASE("lint finds labels that templates use and expressions do not keep", "[rules]") {
  const auto lost = [](const std::string& label) {
    return "A: s uses the label '" + label + "', which the expression does not keep\n";
  };
  CHECK(OfText("sum by (job) (up) == 0", "{{ $labels.instance }} {{ $labels.job }}") ==
        lost("instance"));
  CHECK(OfText("sum without (instance) (up) == 0", "{{ .Labels.instance }} {{ $labels.job }}") ==
        lost("instance"));
  CHECK(OfText("up == 0", "{{ $labels.instance }}") == "");
  CHECK(OfText("sum(up) == 0", "{{ $labels.job }}") == lost("job"));
  CHECK(OfText("absent(up{job=\"a\", x=~\"b.\"})", "{{ $labels.job }} {{ $labels.x }}") ==
        lost("x"));
  CHECK(OfText("a * on (job) group_left (team) b > 1", "{{ $labels.team }}{{ $labels.pod }}") ==
        "");
  CHECK(OfText("a / on (job) b > 1", "{{ $labels.pod }}") == lost("pod"));
  CHECK(OfText("a / ignoring (pod) b > 1", "{{ $labels.pod }}{{ $labels.job }}") == lost("pod"));
  CHECK(OfText("sum by (job) (a) > 1 or sum by (pod) (b) > 1",
               "{{ $labels.pod }}{{ $labels.x }}") == lost("x"));
  CHECK(OfText("label_replace(sum(up), \"to\", \"x\", \"\", \"\") == 0", "{{ $labels.to }}") == "");
  CHECK(OfText("histogram_quantile(0.9, sum by (le, job) (rate(h_bucket[5m]))) > 1",
               "{{ $labels.job }}{{ $labels.le }}") == lost("le"));
}

TEST_CASE("lint finds rules that stand twice, and series that two rules record", "[rules]") {
  CHECK(Findings("  - {alert: A, expr: up == 0}\n  - {alert: A, expr: up==0}\n") ==
        "A: the same rule stands in r.yml:4\n");
  CHECK(Findings("  - {record: a, expr: up}\n  - {record: a, expr: x}\n") ==
        "a: another expression records the same series in r.yml:4\n");
  CHECK(Findings("  - {alert: A, expr: up == 0}\n  - {alert: A, expr: x == 0}\n") == "");
  CHECK(Findings("  - {record: a, expr: up}\n  - {record: a, expr: x, labels: {k: v}}\n") == "");
}

TEST_CASE("lint finds waiting times and patterns that do nothing", "[rules]") {
  CHECK(Findings("  - {alert: A, expr: up == 0, for: 5s}\n") ==
        "A: for: 5s is less than the interval of 15s and acts like one interval\n");
  CHECK(OfExpression("up{job=~\"api\", x!~\"y\"} == 0") ==
        "A: 'job=~\"api\"' needs no regular expression: write =\n"
        "A: 'x!~\"y\"' needs no regular expression: write !=\n");
  CHECK(OfExpression("up{job=~\"api|web\"} == 0") == "");
}

}  // namespace vigia::alerting::rules
