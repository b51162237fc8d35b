#include "exporter/page/filter.h"

#include <catch2/catch.hpp>

#include "exporter/page/renderer.h"
#include "tests/page/pages.h"

using namespace vigia;
using namespace vigia::exporter;
using vigia::test::SnapshotMaker;

namespace {

constexpr Metric kLoad{"node_load1", "", MetricType::kGauge};
constexpr Metric kStat{"node_stat", "", MetricType::kGauge};
constexpr Metric kUp{"pg_up", "", MetricType::kGauge};

std::string Lines(const PageFilter& filter) {
  SnapshotMaker maker;
  maker.Add("host.load", "host", [](Batch& batch) { batch.Add(kLoad, 1); });
  maker.Add("host.stat", "host", [](Batch& batch) { batch.Add(kStat, 2); });
  maker.Add("postgres", "main", [](Batch& batch) {
    batch.Add(kUp, {{"db", "x"}, {"target", "main"}}, 3);
  });
  maker.Add("postgres", "copy", [](Batch& batch) {
    batch.Add(kUp, {{"db", "x"}, {"target", "copy"}}, 4);
  });
  const auto page = RenderFiltered(maker.Make(), filter, PageStyle{});
  std::string lines;
  for (std::size_t at = 0; at < page.size();) {
    const auto end = page.find('\n', at) + 1;
    if (page[at] != '#') lines += page.substr(at, end - at);
    at = end;
  }
  return lines;
}

}  // namespace

TEST_CASE("a collector is meant by its own names and node_exporter's", "[page]") {
  REQUIRE(MatchesCollector("host.load", "host.load"));
  REQUIRE(MatchesCollector("load", "host.load"));
  REQUIRE(MatchesCollector("loadavg", "host.load"));
  REQUIRE(MatchesCollector("host", "host.load"));
  REQUIRE(MatchesCollector("postgres", "postgres"));
  REQUIRE_FALSE(MatchesCollector("loadavg", "host.stat"));
  REQUIRE_FALSE(MatchesCollector("host", "hostile"));
  REQUIRE_FALSE(MatchesCollector("postgres", "postgres2"));
  REQUIRE_FALSE(MatchesCollector("", "host.load"));
}

TEST_CASE("a page shows the collectors, target and families that are asked for", "[page]") {
  const std::string main = "pg_up{db=\"x\",target=\"main\"} 3\n";
  const std::string copy = "pg_up{db=\"x\",target=\"copy\"} 4\n";
  REQUIRE(Lines({}) == "node_load1 1\nnode_stat 2\n" + main + copy);
  REQUIRE(Lines({.collect = {"loadavg"}}) == "node_load1 1\n");
  REQUIRE(Lines({.collect = {"stat", "postgres"}}) == "node_stat 2\n" + main + copy);
  REQUIRE(Lines({.exclude = {"host"}}) == main + copy);
  REQUIRE(Lines({.collect = {"host"}, .exclude = {"load"}}) == "node_stat 2\n");
  REQUIRE(Lines({.target = "copy"}) == "pg_up{db=\"x\"} 4\n");
  REQUIRE(Lines({.names = {"pg_up", "node_stat"}}) == "node_stat 2\n" + main + copy);
  REQUIRE(Lines({.collect = {"nothing"}}) == "");
}
