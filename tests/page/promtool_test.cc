// Prometheus' own checker reads the pages.

#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "exporter/page/renderer.h"
#include "tests/page/pages.h"
#include "tests/support/temp_dir.h"

using namespace vigia;
using namespace vigia::exporter;

namespace {

constexpr Metric kRequests{"app_requests_total", "Requests \"in all\",\nby \\ path.",
                           MetricType::kCounter};
constexpr Metric kSize{"app_size_bytes", "Size.", MetricType::kGauge, "bytes"};
constexpr Metric kLatency{"app_latency_seconds", "Latency.", MetricType::kHistogram, "seconds"};
constexpr Metric kPause{"app_pause_seconds", "Pauses.", MetricType::kSummary, "seconds"};
constexpr Metric kBuild{"app_build_info", "Build.", MetricType::kInfo};

}  // namespace

TEST_CASE("promtool has nothing to say about a page", "[page]") {
  test::SnapshotMaker maker;
  for (const auto* target : {"a", "b"}) {
    maker.Add("app", target, [&](Batch& batch) {
      batch.Add(kRequests, {{"path", "/\"x\"\\\n\xC3\xA1"}, {"target", target}}, 1e300);
      batch.Add(kSize, {{"target", target}}, -0.5);
      batch.Add(kBuild, {{"version", "1"}, {"target", target}}, 1);
      batch.AddHistogram(kLatency, {{"target", target}}, {{{0.1, 3}, {1, 5}}, 2.5, 6});
      batch.AddHistogram(kPause, {{"target", target}}, {{{0.5, kNaN}}, 0, 0});
    });
  }
  PageRenderer renderer(PageStyle{});
  std::string page;
  renderer.Render(maker.Make(), page);
  const test::TempDir folder;
  folder.Write("page", page);

  const auto path = (folder.path() / "page").string();
  const auto output = (folder.path() / "output").string();
  const int status =
      std::system(("promtool check metrics < " + path + " > " + output + " 2>&1").c_str());
  CAPTURE(folder.Read("output"));
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
  REQUIRE(folder.Read("output") == "");
}
