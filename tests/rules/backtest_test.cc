#include "alerting/rules/backtest.h"

#include <catch2/catch.hpp>

#include "query/promql/memory_source.h"
#include "query/promql/series_notation.h"

namespace vigia::alerting::rules {
namespace {

constexpr Timestamp kStart = 1'700'000'000'000;

}  // namespace

TEST_CASE("a backtest finds what would have fired, for how long, and what still does", "[rules]") {
  config::Diagnostics diagnostics("r.yml");
  const auto groups = ParseRuleFile(R"(
groups:
- name: g
  rules:
  - {record: "x:double", expr: x * 2}
  - {alert: High, expr: "x:double > 10", for: 2m}
)",
                                    diagnostics);
  REQUIRE(diagnostics.ok());
  promql::MemorySource source;
  const auto put = [&](const std::string& line) {
    const auto series = promql::ParseSeriesLine(line);
    REQUIRE(series);
    for (std::size_t i = 0; i < series->values.size(); ++i) {
      source.Add(series->labels, kStart + static_cast<Timestamp>(i) * 60'000, *series->values[i]);
    }
  };
  put(R"(x{i="a"} 1x9 6x9 1x20)");
  put(R"(x{i="b"} 1x30 6x9)");
  // Stored by rules that ran before with another threshold: not to be mixed in.
  put(R"(x:double{i="c"} 100x40)");

  const auto result =
      RunBacktest(groups, source, promql::Engine({}), {.from = kStart, .to = kStart + 40 * 60'000});
  CHECK(result.errors.empty());
  CHECK(result.ticks == 40);
  REQUIRE(result.incidents.size() == 2);
  const auto& a = result.incidents[0];
  CHECK(a.labels == Labels({{"alertname", "High"}, {"i", "a"}}));
  CHECK(a.fired_at - a.pending_at == 2 * 60'000);
  CHECK(a.resolved_at - a.pending_at == 10 * 60'000);
  CHECK(a.value == 12);
  CHECK(result.incidents[1].labels.Get("i") == "b");
  CHECK(result.incidents[1].resolved_at == 0);
}

}  // namespace vigia::alerting::rules
