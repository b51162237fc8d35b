#include "exporter/page/renderer.h"

#include <catch2/catch.hpp>
#include <random>

#include "core/text/parser.h"
#include "tests/page/pages.h"

using namespace vigia;
using namespace vigia::exporter;
using vigia::test::SnapshotMaker;

namespace {

constexpr PageStyle kText{text::Format::kText, false};
constexpr PageStyle kTextUtf8{text::Format::kText, true};
constexpr PageStyle kOpenMetrics{text::Format::kOpenMetrics, false};

constexpr Metric kUp{"pg_up", "Whether it answers.", MetricType::kGauge};
constexpr Metric kCommits{"pg_commits", "Commits.", MetricType::kCounter};
constexpr Metric kCpu{"node_cpu_seconds_total", "CPU \"time\",\nby \\ mode.", MetricType::kCounter,
                      "seconds"};
constexpr Metric kLatency{"latency_seconds", "Latency.", MetricType::kHistogram, "seconds"};
constexpr Metric kPause{"pause_seconds", "Pauses.", MetricType::kSummary, "bytes"};
constexpr Metric kBuild{"build_info", "Build.", MetricType::kInfo};
constexpr Metric kUname{"uname", "Kernel.", MetricType::kInfo};
constexpr Metric kState{"unit_state", "State.", MetricType::kStateSet};
constexpr Metric kOdd{"odd", "", MetricType::kUnknown};

std::string Page(const SnapshotMaker& maker, PageStyle style) {
  PageRenderer renderer(style);
  std::string page;
  renderer.Render(maker.Make(), page);
  return page;
}

SnapshotMaker Everything() {
  SnapshotMaker maker;
  maker.Add("host.cpu", "host", [](Batch& batch) {
    batch.Add(kUname, {{"release", "6.1"}}, 1);
    batch.Add(kCpu, {{"cpu", "0"}, {"mode", "idle"}}, 12.5);
    batch.Add(kCpu, {{"cpu", "0"}, {"mode", "user"}}, 1e21);
    batch.Add(kState, {{"unit_state", "active"}}, 1);
    batch.Add(kState, {{"unit_state", "failed"}}, 0);
    batch.AddHistogram(kLatency, {{"path", "/\"a\""}}, {{{0.1, 3}, {1, 5}}, 2.5, 6});
    batch.AddHistogram(kPause, {}, {{{0, 0.25}, {0.5, 0.5}, {1, kNaN}}, 2, 6});
  });
  maker.Add("postgres", "main", [](Batch& batch) {
    batch.Add(kCommits, {{"datname", "app"}}, 7);
    batch.AddAt(kOdd, {}, -0.0, 1'700'000'000'123);
    batch.Add(kBuild, {{"version", "15"}}, 1);
    batch.AddAt(kUp, {}, 1, 1'700'000'000'000);
  });
  return maker;
}

}  // namespace

TEST_CASE("a page in text format 0.0.4", "[page]") {
  REQUIRE(Page(Everything(), kText) ==
          "# HELP build_info Build.\n"
          "# TYPE build_info gauge\n"
          "build_info{version=\"15\"} 1\n"
          "# HELP latency_seconds Latency.\n"
          "# TYPE latency_seconds histogram\n"
          "latency_seconds_bucket{le=\"0.1\",path=\"/\\\"a\\\"\"} 3\n"
          "latency_seconds_bucket{le=\"1\",path=\"/\\\"a\\\"\"} 5\n"
          "latency_seconds_bucket{le=\"+Inf\",path=\"/\\\"a\\\"\"} 6\n"
          "latency_seconds_sum{path=\"/\\\"a\\\"\"} 2.5\n"
          "latency_seconds_count{path=\"/\\\"a\\\"\"} 6\n"
          "# HELP node_cpu_seconds_total CPU \"time\",\\nby \\\\ mode.\n"
          "# TYPE node_cpu_seconds_total counter\n"
          "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 12.5\n"
          "node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 1e+21\n"
          "# TYPE odd untyped\n"
          "odd -0 1700000000123\n"
          "# HELP pause_seconds Pauses.\n"
          "# TYPE pause_seconds summary\n"
          "pause_seconds{quantile=\"0\"} 0.25\n"
          "pause_seconds{quantile=\"0.5\"} 0.5\n"
          "pause_seconds{quantile=\"1\"} NaN\n"
          "pause_seconds_sum 2\n"
          "pause_seconds_count 6\n"
          "# HELP pg_commits Commits.\n"
          "# TYPE pg_commits counter\n"
          "pg_commits{datname=\"app\"} 7\n"
          "# HELP pg_up Whether it answers.\n"
          "# TYPE pg_up gauge\n"
          "pg_up 1 1700000000000\n"
          "# HELP uname Kernel.\n"
          "# TYPE uname gauge\n"
          "uname{release=\"6.1\"} 1\n"
          "# HELP unit_state State.\n"
          "# TYPE unit_state gauge\n"
          "unit_state{unit_state=\"active\"} 1\n"
          "unit_state{unit_state=\"failed\"} 0\n");
}

TEST_CASE("a page in OpenMetrics", "[page]") {
  const auto page = Page(Everything(), kOpenMetrics);
  REQUIRE(page ==
          "# HELP build Build.\n"
          "# TYPE build info\n"
          "build_info{version=\"15\"} 1\n"
          "# HELP latency_seconds Latency.\n"
          "# TYPE latency_seconds histogram\n"
          "# UNIT latency_seconds seconds\n"
          "latency_seconds_bucket{le=\"0.1\",path=\"/\\\"a\\\"\"} 3\n"
          "latency_seconds_bucket{le=\"1.0\",path=\"/\\\"a\\\"\"} 5\n"
          "latency_seconds_bucket{le=\"+Inf\",path=\"/\\\"a\\\"\"} 6\n"
          "latency_seconds_sum{path=\"/\\\"a\\\"\"} 2.5\n"
          "latency_seconds_count{path=\"/\\\"a\\\"\"} 6\n"
          "# HELP node_cpu_seconds CPU \\\"time\\\",\\nby \\\\ mode.\n"
          "# TYPE node_cpu_seconds counter\n"
          "# UNIT node_cpu_seconds seconds\n"
          "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 12.5\n"
          "node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 1e+21\n"
          "# TYPE odd unknown\n"
          "odd -0 1700000000.123\n"
          "# HELP pause_seconds Pauses.\n"
          "# TYPE pause_seconds summary\n"
          "pause_seconds{quantile=\"0.0\"} 0.25\n"
          "pause_seconds{quantile=\"0.5\"} 0.5\n"
          "pause_seconds{quantile=\"1.0\"} NaN\n"
          "pause_seconds_sum 2\n"
          "pause_seconds_count 6\n"
          "# HELP pg_commits Commits.\n"
          "# TYPE pg_commits unknown\n"
          "pg_commits{datname=\"app\"} 7\n"
          "# HELP pg_up Whether it answers.\n"
          "# TYPE pg_up gauge\n"
          "pg_up 1 1700000000\n"
          "# HELP uname Kernel.\n"
          "# TYPE uname unknown\n"
          "uname{release=\"6.1\"} 1\n"
          "# HELP unit_state State.\n"
          "# TYPE unit_state stateset\n"
          "unit_state{unit_state=\"active\"} 1\n"
          "unit_state{unit_state=\"failed\"} 0\n"
          "# EOF\n");
  text::PageParser parser({.strict = true});
  parser.Begin(page, text::Format::kOpenMetrics);
  auto more = parser.Next();
  while (more && *more) more = parser.Next();
  REQUIRE(more);
}

TEST_CASE("families of several instances stand together under one header", "[page]") {
  SnapshotMaker maker;
  for (const auto* target : {"b", "a"}) {
    maker.Add("postgres", target, [&](Batch& batch) {
      batch.Add(kUp, {{"target", target}}, 1);
      batch.Add(kCommits, {{"target", target}}, 2);
    });
  }
  REQUIRE(Page(maker, kText) ==
          "# HELP pg_commits Commits.\n"
          "# TYPE pg_commits counter\n"
          "pg_commits{target=\"b\"} 2\n"
          "pg_commits{target=\"a\"} 2\n"
          "# HELP pg_up Whether it answers.\n"
          "# TYPE pg_up gauge\n"
          "pg_up{target=\"b\"} 1\n"
          "pg_up{target=\"a\"} 1\n");
}

TEST_CASE("what contradicts an earlier instance is left out and counted", "[page]") {
  constexpr Metric kOther{"pg_up", "Something else.", MetricType::kCounter};
  SnapshotMaker maker;
  maker.Add("a", "1", [](Batch& batch) { batch.Add(kUp, {{"x", "1"}}, 1); });
  maker.Add("b", "2", [](Batch& batch) {
    batch.Add(kUp, {{"x", "2"}}, 2);
    batch.Add(kUp, {{"x", "1"}}, 3);
  });
  maker.Add("c", "3", [&](Batch& batch) {
    batch.Add(kOther, {{"x", "3"}}, 4);
    batch.Add(kOther, {{"x", "4"}}, 4);
  });
  PageRenderer renderer(kText);
  std::string page;
  renderer.Render(maker.Make(), page);
  REQUIRE(page ==
          "# HELP pg_up Whether it answers.\n"
          "# TYPE pg_up gauge\n"
          "pg_up{x=\"1\"} 1\n"
          "pg_up{x=\"2\"} 2\n");
  REQUIRE(renderer.faults() == PageFaults{2, 1, "pg_up"});
}

TEST_CASE("a stale series is left out, and a header without series too", "[page]") {
  SnapshotMaker maker;
  maker.Add("a", "1", [](Batch& batch) {
    batch.Add(kUp, {{"x", "1"}}, GoneMarker());
    batch.Add(kCommits, {{"x", "1"}}, 1);
    batch.Add(kCommits, {{"x", "2"}}, UnknownMarker());
    batch.Add(kCommits, {{"x", "3"}}, kNaN);
  });
  REQUIRE(Page(maker, kText) ==
          "# HELP pg_commits Commits.\n"
          "# TYPE pg_commits counter\n"
          "pg_commits{x=\"1\"} 1\n"
          "pg_commits{x=\"3\"} NaN\n");
  REQUIRE(Page(SnapshotMaker(), kText) == "");
  REQUIRE(Page(SnapshotMaker(), kOpenMetrics) == "# EOF\n");
}

TEST_CASE("OpenMetrics names that would clash stay as they are and are of unknown type", "[page]") {
  constexpr Metric kBare{"jobs", "Jobs.", MetricType::kCounter};
  constexpr Metric kTotal{"jobs_total", "Jobs in all.", MetricType::kCounter};
  constexpr Metric kGauge{"queue", "Queue.", MetricType::kGauge};
  constexpr Metric kCounter{"queue_total", "Queued.", MetricType::kCounter};
  SnapshotMaker maker;
  maker.Add("a", "1", [&](Batch& batch) {
    batch.Add(kBare, 1);
    batch.Add(kTotal, 2);
    batch.Add(kGauge, 3);
    batch.Add(kCounter, 4);
  });
  REQUIRE(Page(maker, kOpenMetrics) ==
          "# HELP jobs Jobs.\n"
          "# TYPE jobs unknown\n"
          "jobs 1\n"
          "# HELP jobs_total Jobs in all.\n"
          "# TYPE jobs_total unknown\n"
          "jobs_total 2\n"
          "# HELP queue Queue.\n"
          "# TYPE queue gauge\n"
          "queue 3\n"
          "# HELP queue_total Queued.\n"
          "# TYPE queue_total unknown\n"
          "queue_total 4\n"
          "# EOF\n");
}

TEST_CASE("UTF-8 names are quoted for those who ask, else escaped", "[page]") {
  constexpr Metric kDotted{"my.metric", "", MetricType::kCounter};
  constexpr Metric kSpelled{"my_metric", "", MetricType::kCounter};
  SnapshotMaker maker;
  maker.Add("a", "1", [&](Batch& batch) {
    batch.Add(kDotted, {{"l\xC3\xA1.b", "1"}, {"c", "2"}}, 1);
    batch.Add(kDotted, {{"c", "3"}}, 1);
    batch.Add(kSpelled, {{"c", "3"}}, 2);
  });
  REQUIRE(Page(maker, kTextUtf8) ==
          "# TYPE \"my.metric\" counter\n"
          "{\"my.metric\",c=\"2\",\"l\xC3\xA1.b\"=\"1\"} 1\n"
          "{\"my.metric\",c=\"3\"} 1\n"
          "# TYPE my_metric counter\n"
          "my_metric{c=\"3\"} 2\n");
  REQUIRE(Page(maker, kText) ==
          "# TYPE my_metric counter\n"
          "my_metric{c=\"2\",l__b=\"1\"} 1\n"
          "my_metric{c=\"3\"} 1\n");
  REQUIRE(Page(maker, {text::Format::kOpenMetrics, true}).find("{\"my.metric\",c=\"3\"} 1\n") !=
          std::string::npos);
}

TEST_CASE("a renderer follows families that come, change and go", "[page]") {
  SnapshotMaker maker;
  PageRenderer text(kText);
  PageRenderer openmetrics(kOpenMetrics);
  std::string page;
  const auto lines = [&](PageRenderer& renderer) {
    renderer.Render(maker.Make(), page);
    return page;
  };
  const auto add = [&](double value, std::vector<std::string> names) {
    maker.Add("a", "1", [&](Batch& batch) {
      for (const auto& name : names) batch.Add(kCommits, {{"x", name}}, value);
    });
  };
  add(1, {"a", "b"});
  REQUIRE(lines(text).ends_with("pg_commits{x=\"a\"} 1\npg_commits{x=\"b\"} 1\n"));
  REQUIRE(lines(openmetrics).ends_with("pg_commits{x=\"a\"} 1\npg_commits{x=\"b\"} 1\n# EOF\n"));
  add(2, {"a", "b"});
  REQUIRE(lines(text).ends_with("pg_commits{x=\"a\"} 2\npg_commits{x=\"b\"} 2\n"));
  REQUIRE(lines(openmetrics).ends_with("pg_commits{x=\"a\"} 2\npg_commits{x=\"b\"} 2\n# EOF\n"));
  add(3, {"b", "c"});
  REQUIRE(lines(text).ends_with("pg_commits{x=\"b\"} 3\npg_commits{x=\"c\"} 3\n"));
  maker.Add("b", "2", [&](Batch& batch) { batch.Add(kUp, 1); });
  REQUIRE(lines(text).ends_with("pg_up 1\n"));
  REQUIRE(lines(openmetrics).find("pg_commits{x=\"c\"} 3\n") != std::string::npos);
  add(0, {});
  REQUIRE(lines(text) == "# HELP pg_up Whether it answers.\n# TYPE pg_up gauge\npg_up 1\n");
}

TEST_CASE("a page that follows changes is the page made afresh", "[page]") {
  std::mt19937 random(7);
  const auto upto = [&](unsigned n) { return random() % n; };
  const std::vector<Metric> metrics = {kCommits, kUp, kOdd};
  SnapshotMaker maker;
  PageRenderer text(kText);
  PageRenderer openmetrics(kOpenMetrics);
  std::string page;
  for (int round = 0; round < 300; ++round) {
    const auto instance = std::to_string(upto(3));
    // Most rounds change series only, some bring metrics or take them.
    const std::size_t kinds = upto(4) == 0 ? upto(4) : 3;
    maker.Add("a", instance, [&](Batch& batch) {
      batch.AddHistogram(kLatency, {{"path", std::to_string(upto(3))}}, {{{0.1, 3}}, 2.5, 6});
      for (std::size_t m = 0; m < kinds; ++m) {
        for (auto left = 1 + upto(4); left > 0; --left) {
          // Instances share some series: all but the first of these are left out.
          batch.Add(metrics[m], {{"x", std::to_string(upto(6))}}, round);
        }
      }
    });
    const auto snapshot = maker.Make();
    text.Render(snapshot, page);
    REQUIRE(page == RenderFiltered(snapshot, {}, kText));
    openmetrics.Render(snapshot, page);
    REQUIRE(page == RenderFiltered(snapshot, {}, kOpenMetrics));
  }
}
