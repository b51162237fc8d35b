// The functions of rule templates, and what Prometheus' documentation says of them.

#include <catch2/catch.hpp>

#include "tests/templates/expand.h"

using vigia::test::Expanded;

TEST_CASE("rule templates humanize", "[templates]") {
  CHECK(Expanded("{{humanize $value}} {{humanize 1234567.0}} {{humanize 0.0012}} {{humanize 0}}") ==
        "1.234k 1.235M 1.2m 0");
  CHECK(Expanded("{{humanize -1234.0}} {{humanize \"2500\"}} {{humanize 1e30}}") ==
        "-1.234k 2.5k 1e+06Y");
  CHECK(Expanded("{{humanize1024 1048576.0}} {{humanize1024 1.0}} {{humanize1024 1536}}") ==
        "1Mi 1 1.5ki");
  CHECK(Expanded("{{humanizeDuration 0}} {{humanizeDuration 0.0012}} {{humanizeDuration 59.5}} "
                 "{{humanizeDuration 61}} {{humanizeDuration 3661}} {{humanizeDuration 93784}} "
                 "{{humanizeDuration -61.2}}") ==
        "0s 1.2ms 59.5s 1m 1s 1h 1m 1s 1d 2h 3m 4s -1m 1s");
  CHECK(Expanded("{{humanizePercentage 0.1234567}} {{humanizePercentage 1}}") == "12.35% 100%");
  CHECK(Expanded("{{humanizeTimestamp 1435065584.128}}") == "2015-06-23 13:19:44.128 +0000 UTC");
  CHECK(Expanded("{{humanize \"x\"}}") ==
        "error: error executing template t: template: t:1:2: executing \"t\" at <humanize \"x\">: "
        "error calling humanize: strconv.ParseFloat: parsing \"x\": invalid syntax");
}

TEST_CASE("rule templates treat texts", "[templates]") {
  CHECK(Expanded("{{title \"aa bb CC d-e\"}} {{toUpper \"ñandú\"}} {{toLower \"ÄB\"}}") ==
        "Aa Bb CC D-E ÑANDÚ äb");
  CHECK(Expanded("{{match \"a+\" \"aa\"}} {{match \"a+\" \"b\"}}") == "true false");
  CHECK(Expanded(
            "{{reReplaceAll \"(a)b\" \"x$1\" \"abab\"}} {{reReplaceAll \"a*\" \"-\" \"baac\"}}") ==
        "xaxa -b-c-");
  CHECK(Expanded("{{reReplaceAll \"(?P<n>[a-z]+):.*\" \"${n}!\" $labels.instance}}") == "db1:9100");
  // Nothing stands behind the pattern that a \Q without an end could swallow.
  CHECK(Expanded(R"({{reReplaceAll "\\Q.example.com" "" "a.example.com"}})") == "a");
  CHECK(Expanded(R"({{match "x\\Qy.z" "xy.z"}})") == "true");
  CHECK(Expanded("{{reReplaceAll \"(.*):.*\" \"$1\" $labels.instance}}") == "db1");
  CHECK(Expanded("{{stripPort \"a.b:80\"}} {{stripPort \"[::1]:80\"}} {{stripPort \"a.b\"}}") ==
        "a.b ::1 a.b");
  CHECK(
      Expanded(
          "{{stripDomain \"a.b.c:80\"}} {{stripDomain \"a.b\"}} {{stripDomain \"10.0.0.1:8\"}}") ==
      "a:80 a 10.0.0.1:8");
  CHECK(Expanded("{{urlQueryEscape $labels.path}} {{safeHtml \"<b>\"}}") == "%2Fa+b <b>");
  CHECK(Expanded("{{safeHtml \"&{x}\"}}") == "&{x}");
  CHECK(Expanded("{{match \"(\" \"b\"}}")
            .starts_with("error: error executing template t: template: t:1:2: executing \"t\" at "
                         "<match \"(\" \"b\">: error calling match: error parsing regexp: missing "
                         "closing ): `(`"));
}

TEST_CASE("rule templates link and query", "[templates]") {
  CHECK(Expanded("{{graphLink \"up == 0\"}}") == "/graph?g0.expr=up+%3D%3D+0&g0.tab=0");
  CHECK(Expanded("{{tableLink \"up\"}} {{externalURL}} {{pathPrefix}}") ==
        "/graph?g0.expr=up&g0.tab=1 http://vigia.example:9845/base /base");
  CHECK(Expanded("{{with query \"up\"}}{{. | first | value | humanize}}{{end}}") == "1");
  CHECK(Expanded("{{range query \"up\"}}{{.Labels.instance}}={{value .}},{{end}}") == "b=1,a=0,");
  CHECK(Expanded("{{printf \"%.2f\" (query \"up\" | first | value)}}") == "1.00");
  CHECK(Expanded("{{(query \"up\" | first).Labels.none}}{{strvalue (query \"up\" | first)}}") ==
        "");
}

TEST_CASE("rule templates know times", "[templates]") {
  CHECK(Expanded("{{now}}") == "1.700000000123e+09");
  CHECK(Expanded("{{(now | toTime).Format \"2006-01-02 15:04:05 MST\"}}") ==
        "2023-11-14 22:13:20 UTC");
  // Eight hours, as people in Asia write them.
  CHECK(Expanded("{{((toTime 1.5).Add 28800e9).Format \"15:04:05.000\"}}") == "08:00:01.500");
  CHECK(Expanded("{{((toTime 1.25).Add -1500000000).UnixNano}}") == "-250000000");
  // Go's zero time: nanoseconds wrap, differences end at the longest duration.
  std::string zero = "(toTime -6135596800)";
  for (int i = 0; i < 7; ++i) zero = "(" + zero + ".Add -8000000000000000000)";
  CHECK(Expanded("{{" + zero + ".IsZero}}") == "true");
  CHECK(Expanded("{{" + zero + ".UnixNano}}") == "-6795364578871345152");
  CHECK(Expanded("{{" + zero + ".UnixMilli}}") == "-62135596800000");
  CHECK(Expanded("{{(" + zero + ".Sub (toTime 0)).Nanoseconds}}") == "-9223372036854775808");
  CHECK(Expanded("{{(toTime 5400).Truncate 3600e9}}") == "1970-01-01 01:00:00 +0000 UTC");
  CHECK(Expanded("{{(toTime 5400).Round 3600e9}}") == "1970-01-01 02:00:00 +0000 UTC");
  CHECK(Expanded("{{(toTime 5399).Round 3600e9}}") == "1970-01-01 01:00:00 +0000 UTC");
  CHECK(Expanded("{{(toTime 5400).Truncate 0}}") == "1970-01-01 01:30:00 +0000 UTC");
  CHECK(Expanded("{{(toTime 0).Add 1.5}}").find("expected integer; found 1.5") !=
        std::string::npos);
  CHECK(Expanded("{{(toTime 0).Year}} {{(toTime 86400).Weekday}} {{(toTime 1.5).UnixMilli}}") ==
        "1970 Friday 1500");
  CHECK(Expanded("{{toDuration 90.5}} {{(toDuration 90).Minutes}}") == "1m30.5s 1.5");
  CHECK(Expanded("{{parseDuration \"1h30m\"}}") == "5400");
}

TEST_CASE("a rule template that fails becomes the text", "[templates]") {
  const auto parsed = vigia::alerting::templates::RuleTemplate::Parse("__alert_X", "{{.Nope}}");
  REQUIRE(parsed);
  CHECK(parsed->ExpandOrExplain(vigia::test::SomeRuleData()) ==
        "<error expanding template: error executing template __alert_X: template: __alert_X:1:2: "
        "executing \"__alert_X\" at <.Nope>: can't evaluate field Nope in type "
        "template.AlertTemplateData>");
}
