#include "alerting/explain/expression.h"

#include <catch2/catch.hpp>

#include "query/promql/memory_source.h"
#include "query/promql/series_notation.h"
#include "query/promql/syntax/parser.h"

namespace vigia::alerting::explain {
namespace {

constexpr Timestamp kStart = 1'700'000'000'000;

// Series at a sample per minute, and the minute at which they are asked about.
class Desk {
 public:
  explicit Desk(std::initializer_list<std::string> lines, int minutes = 0) : minutes_(minutes) {
    for (const auto& line : lines) {
      const auto series = promql::ParseSeriesLine(line);
      REQUIRE(series);
      for (std::size_t i = 0; i < series->values.size(); ++i) {
        if (!series->values[i]) continue;
        source.Add(series->labels, kStart + static_cast<Timestamp>(i) * 60'000, *series->values[i]);
      }
    }
  }

  Explanation Ask(const std::string& expr, const std::string& about = "") const {
    const auto query = promql::Parse(expr);
    REQUIRE(query);
    route::Matchers matchers;
    if (!about.empty()) matchers = *route::ParseMatchers(about);
    return ExplainExpression({.source = source,
                              .engine = engine_,
                              .time = kStart + minutes_ * Timestamp{60'000},
                              .about = std::move(matchers)},
                             (*query)->root());
  }
  std::string Why(const std::string& expr, const std::string& about = "") const {
    return Ask(expr, about).cause;
  }

  promql::MemorySource source;

 private:
  const promql::Engine engine_{{}};
  const int minutes_;
};

}  // namespace

TEST_CASE("a comparison that is false names the nearest series, and by how much", "[explain]") {
  const Desk desk({R"(x{i="a"} 3)", R"(x{i="b"} 9.5)", R"(x{i="c"} 1)"});
  CHECK(desk.Why("x > 10") ==
        "x > 10 is false for all 3 series; nearest x{i=\"b\"}: 9.5 > 10 misses by 0.5");
  CHECK(desk.Why("10 < x") ==
        "10 < x is false for all 3 series; nearest x{i=\"b\"}: 10 < 9.5 misses by 0.5");
  CHECK(desk.Why("sum(x) == 14") ==
        "sum(x) == 14 is false for the only series; nearest 13.5 == 14 misses by 0.5");
  CHECK(desk.Why("x{i=\"a\"} != 3") ==
        "x{i=\"a\"} != 3 is false for the only series; nearest x{i=\"a\"}: 3 != 3 are equal");
  CHECK(desk.Why("x > 10", "i=\"a\"") ==
        "x > 10 is false for the only series; nearest x{i=\"a\"}: 3 > 10 misses by 7");
  CHECK(desk.Why("x > NaN") ==
        "x > NaN is false for all 3 series; nearest x{i=\"a\"}: 3 > NaN compares with NaN");
}

TEST_CASE("a comparison that is true names its samples, the clearest first", "[explain]") {
  const Desk desk({R"(x{i="a"} 11)", R"(x{i="b"} 95)", R"(x{i="c"} 1)"});
  const auto why = desk.Ask("x > 10");
  CHECK(why.cause.empty());
  CHECK(why.series == 2);
  REQUIRE(why.findings.size() == 2);
  CHECK(why.findings[0].readings.size() == 3);
  CHECK(why.findings[0].readings[0].time == kStart);
  const auto& comparison = why.findings[1];
  CHECK(comparison.text == "true for 2 of 3 series");
  REQUIRE(comparison.compared.size() == 3);
  CHECK(comparison.compared[0].left == 95);
  CHECK(comparison.compared[0].by() == 85);
  CHECK(comparison.compared[1].left == 11);
  CHECK_FALSE(comparison.compared[2].holds);
}

TEST_CASE("an empty selector names the matcher that empties it", "[explain]") {
  const Desk desk({R"(http_requests_total{job="api",code="200"} 1)",
                   R"(http_requests_total{job="web",code="500"} 1)"});
  CHECK(
      desk.Why(R"(http_requests_total{job="apo"} > 0)") ==
      R"(http_requests_total{job="apo"}: job="apo" fits none of 2 series; there the label is "api", "web")");
  CHECK(
      desk.Why(R"(sum(rate(http_requests_total{job="api",code=~"5.."}[5m])) > 0)") ==
      R"(http_requests_total{code=~"5..",job="api"}[5m]: job="api" fits none of 1 series; there the label is "web"; and code=~"5.." fits none of 1 series; there the label is "200")");
  CHECK(
      desk.Why(R"(http_requests_total{zone="a"})") ==
      R"(http_requests_total{zone="a"}: zone="a" fits none of 2 series; there the label is missing)");
  CHECK(desk.Why("http_request_total > 0") ==
        "http_request_total: no series is named http_request_total in the last 24h; the nearest "
        "name is http_requests_total");
  CHECK(
      desk.Why(R"(http_requests_total{job="x",code="y"})") ==
      R"(http_requests_total{code="y",job="x"}: no series fits; 2 are named http_requests_total, and no single matcher alone is what they lack)");
  const auto both = desk.Ask(R"(http_requests_total{job="api",code="500"})");
  REQUIRE(both.findings.size() == 1);
  REQUIRE(both.findings[0].emptied_by.size() == 2);
}

TEST_CASE("old, gone and unknown data are told apart", "[explain]") {
  Desk desk({R"(old 1)", R"(here 1x20)"}, 12);
  desk.source.Add(Labels({{"__name__", "gone"}}), kStart + 10 * 60'000, GoneMarker());
  desk.source.Add(Labels({{"__name__", "lost"}}), kStart + 10 * 60'000, UnknownMarker());
  CHECK(desk.Why("old > 0") == "old: 1 series, the newest sample 12m old: a sample counts for 5m");
  CHECK(desk.Why("rate(old[10m]) > 0") ==
        "old[10m]: 1 series, the newest sample 12m old: a sample counts for 10m");
  CHECK(desk.Why("gone") == "gone: 1 series, all marked as gone 2m ago");
  CHECK(desk.Why("lost > 1") ==
        "lost: data is unknown: the source of 1 series does not answer since 2m");
  CHECK(desk.Why("here > 0").empty());
}

TEST_CASE("a matching without partners says in which label they differ", "[explain]") {
  const Desk desk(
      {R"(used{host="a",disk="sda"} 5)", R"(size{host="a"} 10)", R"(limit{host="b"} 3)"});
  CHECK(desk.Why("used / size > 0.9") ==
        "used / size: none of 1 series of the left side has a partner among 1 of the right one: in "
        "the nearest pair disk is \"sda\" on the left and missing on the right");
  CHECK(desk.Why("used / on(host) size > 0.9") ==
        "used / on (host) size > 0.9 is false for the only series; nearest {host=\"a\"}: 0.5 > 0.9 "
        "misses by 0.4");
  CHECK(desk.Why("size > on(host) limit") ==
        "size > on (host) limit: none of 1 series of the left side has a partner among 1 of the "
        "right one: in the nearest pair host is \"a\" on the left and \"b\" on the right");
  CHECK(desk.Why("used > on(host) group_left() size") ==
        "used > on (host) group_left () size is false for the only series; nearest "
        "used{disk=\"sda\", host=\"a\"}: 5 > 10 misses by 5");
}

TEST_CASE("and, or and unless say which side is to blame", "[explain]") {
  const Desk desk({R"(x{i="a"} 3)", R"(y{i="a"} 1)", R"(z{i="b"} 1)"});
  CHECK(desk.Why("x > 1 and y > 1") ==
        "y > 1 is false for the only series; nearest y{i=\"a\"}: 1 > 1 are equal");
  CHECK(desk.Why("x > 5 and y > 0") ==
        "x > 5 is false for the only series; nearest x{i=\"a\"}: 3 > 5 misses by 2");
  CHECK(desk.Why("x > 1 and z") ==
        "x > 1 and z: none of 1 series of the left side has a partner among 1 of the right one: in "
        "the nearest pair i is \"a\" on the left and \"b\" on the right");
  CHECK(desk.Why("x > 5 or y > 2") ==
        "x > 5 is false for the only series; nearest x{i=\"a\"}: 3 > 5 misses by 2; and y > 2 is "
        "false for the only series; nearest y{i=\"a\"}: 1 > 2 misses by 1");
  CHECK(desk.Why("x unless y") ==
        "x unless y: the right side (1 series) takes away the only series of the left one");
  CHECK(desk.Why("x unless z").empty());
}

TEST_CASE("functions that give nothing say why", "[explain]") {
  const Desk desk({R"(x{i="a"} 3)"});
  CHECK(desk.Why("absent(x)") == "absent(x) gives nothing, because there is what it looks for");
  CHECK(desk.Why("rate(x[5m]) > 0") ==
        "rate(x[5m]) gives nothing: no series has enough samples in the range");
  const auto fires = desk.Ask("absent(nothing)");
  CHECK(fires.series == 1);
  CHECK(fires.cause.empty());
  REQUIRE(fires.findings.size() == 1);
  CHECK(fires.findings[0].text == "no series is named nothing in the last 24h");
}

TEST_CASE("a large expression is explained in part, and says so", "[explain]") {
  const Desk desk({"x 1"});
  std::string expr = "x";
  for (int i = 0; i < 60; ++i) expr += " and x";
  const auto why = desk.Ask(expr + " > 5");
  CHECK(why.findings.size() <= kMostFindings);
  CHECK_FALSE(why.complete);
  CHECK(why.series == 0);
}

TEST_CASE("an expression that cannot be evaluated says so", "[explain]") {
  const Desk desk({R"(x{i="a"} 1)", R"(x{i="b"} 2)", R"(y 1)"});
  CHECK(desk.Why("y * on() x").find("many-to-many") != std::string::npos);
}

}  // namespace vigia::alerting::explain
