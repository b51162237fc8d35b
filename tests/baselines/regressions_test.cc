// Changes that last: told once each, with the deploy and with what else changed.

#include "exporter/baselines/regressions.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace vigia;
using namespace vigia::alerting;
using namespace vigia::exporter;
using baseline::Line;
using baseline::State;
using nlohmann::json;

namespace {

constexpr std::int64_t kSince = 1'764'201'600;  // Unix seconds
constexpr Timestamp kNow = (kSince + 900) * 1000;
const std::string kText =
    R"(+62 % on latency{path="/a"} (0.2 -> 0.324) since 2025-11-27 00:00 UTC)";

Line Changed(const std::string& path, double change, std::int64_t since = kSince,
             State state = State::kRegression) {
  Line line{.labels = Labels({{"path", path}}), .value = 0.2 * (1 + change), .verdict = {}};
  line.verdict = {.known = true, .expected = 0.2, .state = state, .since = since, .change = change};
  return line;
}

struct World {
  ManualClock clock{kNow};
  std::unique_ptr<state::Database> database = state::Database::InMemory();
  state::Journal journal{*database, clock};
  Marks marks{journal};
  Regressions::Pages pages;

  void Show(const std::string& name, std::vector<Line> lines) {
    auto page = std::make_shared<baseline::Book::Page>();
    page->lines = std::move(lines);
    pages[name] = std::move(page);
  }
  std::vector<state::Event> Events() { return *journal.Query({.type = "baseline."}); }
};

}  // namespace

TEST_CASE("a change is told once, however long it lasts, and over restarts", "[baselines]") {
  World world;
  world.Show("latency", {Changed("/a", 0.62), Changed("/b", 0.0, 0, State::kOk)});
  {
    Regressions regressions(world.journal, world.marks);
    regressions.Look(world.pages, kNow);
    regressions.Look(world.pages, kNow + 1000);
    REQUIRE(regressions.Lasting().size() == 1);
    CHECK(regressions.Lasting()[0].text == kText);
    CHECK(regressions.Lasting()[0].labels == Labels({{"baseline", "latency"}, {"path", "/a"}}));
    CHECK(regressions.Lasting()[0].also.empty());
  }
  Regressions again(world.journal, world.marks);
  world.Show("latency", {Changed("/a", 0.7)});
  again.Look(world.pages, kNow + 60'000);
  REQUIRE(world.Events().size() == 1);
  CHECK(world.Events()[0].type == "baseline.regression");
  // As it was told, with the size of now.
  CHECK(again.Lasting()[0].text == kText);
  CHECK(again.Lasting()[0].size == 0.7);
  // A later change of the same series is another one.
  world.Show("latency", {Changed("/a", -0.5, kSince + 7200, State::kImprovement)});
  again.Look(world.pages, kNow + 7'200'000);
  REQUIRE(world.Events().size() == 2);
  CHECK(world.Events()[0].type == "baseline.improvement");
  world.Show("latency", {});
  again.Look(world.pages, kNow + 7'300'000);
  CHECK(again.Lasting().empty());
}

TEST_CASE("a change names the deploy that it follows", "[baselines]") {
  World world;
  REQUIRE(world.marks.Add(Deploy{.time = (kSince - 14 * 60) * 1000, .version = "v1.2.3"}));
  Regressions regressions(world.journal, world.marks);
  world.Show("latency", {Changed("/a", 0.62)});
  regressions.Look(world.pages, kNow);
  const std::string text =
      R"(since v1.2.3: +62 % on latency{path="/a"} (0.2 -> 0.324), 14 minutes after the deploy )"
      "(2025-11-27 00:00 UTC)";
  CHECK(regressions.Lasting()[0].text == text);
  const auto details = json::parse(world.Events()[0].details);
  CHECK(details["text"] == text);
  CHECK(details["version"] == "v1.2.3");
  CHECK(details["deployed"] == (kSince - 14 * 60) * 1000);
  CHECK(details["since"] == kSince * 1000);

  const Deploy deploy{.time = kSince * 1000, .version = "v2"};
  const auto line = Changed("/a", 0.5);
  CHECK(DescribeChange("x", line, deploy).ends_with(", with the deploy (2025-11-27 00:00 UTC)"));
  CHECK(DescribeChange("x", Changed("/a", 0.5, kSince + 60), deploy)
            .ends_with(", 1 minute after the deploy (2025-11-27 00:01 UTC)"));
}

TEST_CASE("what changed at the same time stands beside a change, the most changed first",
          "[baselines]") {
  World world;
  world.Show("latency", {Changed("/a", 0.62), Changed("/b", 0.3, kSince + 1800),
                         Changed("/late", 9.0, kSince + 1801)});
  world.Show("errors", {Changed("/a", 4.0, kSince - 1800), Changed("/early", 9.0, kSince - 1801),
                        Changed("/less", -0.9, kSince, State::kImprovement)});
  Regressions regressions(world.journal, world.marks);
  regressions.Look(world.pages, kNow);
  std::string also;
  for (const auto& change : regressions.Lasting()) {
    if (change.labels == Labels({{"baseline", "latency"}, {"path", "/a"}})) also = change.also;
  }
  CHECK(also == R"(-90 % on errors{path="/less"}, +400 % on errors{path="/a"}, )"
                R"(+30 % on latency{path="/b"})");
  for (const auto& event : world.Events()) {
    if (event.labels.Get("path") != "/a" || event.labels.Get("baseline") != "latency") continue;
    const auto suspects = json::parse(event.details)["suspects"];
    REQUIRE(suspects.size() == 3);
    CHECK(suspects[1]["baseline"] == "errors");
    CHECK(suspects[1]["labels"]["path"] == "/a");
    CHECK(suspects[1]["change"] == 4.0);
  }
}

TEST_CASE("what is seen to have changed a little later is added, up to three", "[baselines]") {
  World world;
  Regressions regressions(world.journal, world.marks);
  const auto also = [&](std::vector<Line> lines, Timestamp after) {
    lines.insert(lines.begin(), Changed("/a", 0.62));
    world.Show("latency", lines);
    regressions.Look(world.pages, kNow + after);
    for (const auto& change : regressions.Lasting()) {
      if (change.labels.Get("path") == "/a") return change.also;
    }
    return std::string("nothing");
  };
  CHECK(also({}, 0) == "");
  CHECK(also({Changed("/b", 0.3)}, 60'000) == R"(+30 % on latency{path="/b"})");
  // As it was when it was seen: the text does not change with every value.
  CHECK(also({Changed("/b", 0.4)}, 120'000) == R"(+30 % on latency{path="/b"})");
  const std::string three = R"(+30 % on latency{path="/b"}, +80 % on latency{path="/d"}, )"
                            R"(+70 % on latency{path="/c"})";
  CHECK(also({Changed("/b", 0.4), Changed("/c", 0.7), Changed("/d", 0.8), Changed("/e", 0.6)},
             180'000) == three);
  CHECK(also({}, 240'000) == three);
  // After a restart the journal has what was known when it was told; an hour later it is too late.
  Regressions again(world.journal, world.marks);
  again.Look(world.pages, kNow + 3'660'000);
  world.Show("latency", {Changed("/a", 0.62), Changed("/f", 0.6)});
  again.Look(world.pages, kNow + 3'660'001);
  for (const auto& change : again.Lasting()) {
    if (change.labels.Get("path") == "/a") CHECK(change.also == "");
  }
}

TEST_CASE("very many changes at once are told within a bounded time", "[baselines]") {
  World world;
  std::vector<Line> lines;
  for (int i = 0; i < 3000; ++i) lines.push_back(Changed("/" + std::to_string(i), 0.5 + i * 0.001));
  world.Show("latency", std::move(lines));
  Regressions regressions(world.journal, world.marks);
  regressions.Look(world.pages, kNow);
  CHECK(regressions.Lasting().size() == 3000);
}
