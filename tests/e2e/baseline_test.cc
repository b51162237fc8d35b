// Baselines in the daemon: a regression that began near a deploy is told with its size, and with
// the deploy; a spike is not.

#include <signal.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "tests/e2e/vigia.h"
#include "tests/support/http_stub.h"

using namespace vigia::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

std::int64_t Now() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Sixteen days of latencies, a value in five minutes, with a daily peak: "/slow" is 60 % slower for
// the last three hours, "/spike" was three times as slow for a quarter of an hour. The last value is
// of `now`, so that it is still there at the next slot of five minutes.
std::string Latencies(std::int64_t now) {
  constexpr std::int64_t kValues = 16 * 24 * 12;
  std::mt19937 random(5);
  std::normal_distribution<double> noise(1, 0.04);
  std::string text = "# TYPE latency_seconds gauge\n";
  for (const std::string path : {"/calm", "/slow", "/spike"}) {
    for (std::int64_t i = kValues; i >= 0; --i) {
      const std::int64_t time = now - i * 300;
      const double day = 1 + 0.5 * std::sin(static_cast<double>(time % 86'400) * 2 * M_PI / 86'400);
      double value = 0.18 * day * noise(random);
      if (path == "/slow" && i <= 36) value *= 1.6;
      if (path == "/spike" && i <= 18 && i > 15) value *= 3;
      text += "latency_seconds{path=\"" + path + "\"} " + std::to_string(value) + " " +
              std::to_string(time) + "\n";
    }
  }
  return text + "# EOF\n";
}

template <typename Condition>
bool Eventually(Condition condition, std::chrono::seconds limit = 60s) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(200ms);
  }
  return true;
}

}  // namespace

TEST_CASE("what is declared survives a kill, and stands once on the page", "[e2e]") {
  const TempDir data;
  const auto start = [&] {
    return std::make_unique<Vigia>(
        Vigia::Options{.config = "collectors: {}\n", .data_dir = (data.path() / "data").string()});
  };
  auto vigia = start();
  const auto declare = [&](const std::string& body, std::map<std::string, std::string> headers) {
    return Ask(vigia->port(), {.method = "POST",
                               .path = "/api/vigia/v1/events",
                               .headers = std::move(headers),
                               .body = body})
        .status;
  };
  for (const std::string version : {"v1", "v2", "v1"}) {
    REQUIRE(declare(R"({"type":"deploy","version":")" + version + "\"}", {}) == 200);
  }
  REQUIRE(declare(R"({"type":"maintenance","for":"1h"})", {}) == 200);
  vigia->process().Signal(SIGKILL);
  vigia.reset();
  vigia = start();
  const auto events = json::parse(vigia->Get("/api/vigia/v1/events?type=deploy").body);
  CHECK(events["events"].size() == 3);
  const auto page = vigia->Metrics();
  CHECK(page.find("vigia_deploy_timestamp_seconds{version=\"v2\"}") != std::string::npos);
  CHECK(FindValue(page,
                  "vigia_collector_duplicate_series_total{collector=\"vigia.baselines\","
                  "instance=\"vigia\"}") == "0");
  // Not from another site's page, whatever the browser says of it.
  const std::string mark = R"({"type":"deploy","version":"evil"})";
  CHECK(declare(mark, {{"Sec-Fetch-Site", "cross-site"}}) == 403);
  CHECK(declare(mark, {{"Origin", "http://evil.example"}}) == 403);
  CHECK(declare(mark, {{"Origin", "null"}}) == 403);
  CHECK(declare(mark, {{"Origin", "http://127.0.0.1"}}) == 200);
}

TEST_CASE("a regression after a deploy is told with its size and the deploy", "[e2e]") {
  HttpStub chat;
  chat.Answer("/hook", {});
  const std::string head =
      "collectors: {}\nremote_write_receiver: true\nhistory: { retention: 20d }\n";
  Vigia vigia({.config = head});
  const auto post = [&](const std::string& path, const std::string& body) {
    return Ask(vigia.port(), {.method = "POST",
                              .path = path,
                              .headers = {{"Content-Type", "application/json"}},
                              .body = body});
  };
  const std::int64_t now = Now();
  REQUIRE(post("/api/v1/import/openmetrics", Latencies(now)).status / 100 == 2);
  const auto mark = RunProgram({VigiaProgram(), "mark", "deploy", "v1.2.3", "--time",
                                std::to_string(now - 194 * 60), "--url",
                                "http://127.0.0.1:" + std::to_string(vigia.port())});
  INFO(mark.output);
  REQUIRE(mark.exit_code == 0);
  CHECK(post("/api/vigia/v1/events", R"({"type":"deploy"})").status == 400);
  CHECK(post("/api/vigia/v1/events", R"({"type":"maintenance","end":1})").status == 400);

  vigia.WriteConfig(head +
                    "baselines:\n"
                    "  - { name: latency, expr: latency_seconds, floor: 0.01, interval: 5m }\n"
                    "rules: [ bundled ]\nevaluation_interval: 1s\n"
                    "alerting:\n"
                    "  route: { receiver: chat, group_by: [alertname], group_wait: 0s }\n"
                    "  receivers: [ { name: chat, webhook_configs: [ { url: \"" +
                    chat.Url("/hook") + "\" } ] } ]\n");
  REQUIRE(post("/-/reload", "").status == 200);

  json told;
  REQUIRE(Eventually([&] {
    for (const auto& request : chat.requests()) {
      const auto message = json::parse(request.body);
      if (message["commonLabels"].value("alertname", "") != "BaselineRegression") continue;
      told = message;
      return true;
    }
    return false;
  }));
  REQUIRE(told["alerts"].size() == 1);
  CHECK(told["alerts"][0]["labels"]["path"] == "/slow");
  const auto summary = told["alerts"][0]["annotations"]["summary"].get<std::string>();
  INFO(summary);
  CHECK(summary.find("Changed at the same time") == std::string::npos);
  CHECK(summary.find("since v1.2.3: +") != std::string::npos);
  CHECK(summary.find("after the deploy") != std::string::npos);
  const auto size = std::atof(summary.substr(summary.find(": +") + 3).c_str());
  CHECK(size > 40);
  CHECK(size < 85);

  // The journal has it, once, and the series stand on the page.
  const auto events = json::parse(vigia.Get("/api/vigia/v1/events?type=baseline.").body);
  CHECK(events.dump().find("v1.2.3") != std::string::npos);
  CHECK(events["events"].size() == 1);
  CHECK(vigia.Value("vigia_baseline_regression{baseline=\"latency\",path=\"/slow\"}") == "1");
  CHECK(vigia.Value("vigia_baseline_regression{baseline=\"latency\",path=\"/spike\"}") == "0");
  const std::string url = "http://127.0.0.1:" + std::to_string(vigia.port());
  const auto shown = RunProgram({VigiaProgram(), "baseline", "show", "latency", "--url", url});
  INFO(shown.output);
  CHECK(shown.exit_code == 0);
  CHECK(shown.output.find("regression") < shown.output.find("{path=\"/slow\"}"));
  const auto accepted = RunProgram(
      {VigiaProgram(), "baseline", "accept", "latency", "{path=\"/slow\"}", "--url", url});
  CHECK(accepted.output == "1 series\n");
  CHECK(RunProgram({VigiaProgram(), "baseline", "undo", "latency", "--url", url}).output ==
        "1 series\n");
  CHECK(RunProgram({VigiaProgram(), "baseline", "reset", "nothing", "--url", url}).exit_code == 1);
  CHECK_FALSE(vigia.Value("vigia_deploy_timestamp_seconds{version=\"v1.2.3\"}").empty());
}

TEST_CASE("what was learnt is exported by one daemon and imported by another", "[e2e]") {
  const std::string config =
      "collectors: {}\nremote_write_receiver: true\nhistory: { retention: 20d }\n"
      "baselines: [ { name: latency, expr: latency_seconds, interval: 5m } ]\n";
  const TempDir folder;
  const auto file = (folder.path() / "states.jsonl").string();
  const auto command = [](const Vigia& vigia, std::vector<std::string> words) {
    words.insert(words.begin(), {VigiaProgram(), "baseline"});
    words.insert(words.end(), {"--url", "http://127.0.0.1:" + std::to_string(vigia.port())});
    return RunProgram(words);
  };
  {
    Vigia vigia({.config = "collectors: {}\nremote_write_receiver: true\n"
                           "history: { retention: 20d }\n"});
    REQUIRE(Ask(vigia.port(),
                {.method = "POST", .path = "/api/v1/import/openmetrics", .body = Latencies(Now())})
                    .status /
                100 ==
            2);
    vigia.WriteConfig(config);
    REQUIRE(Ask(vigia.port(), {.method = "POST", .path = "/-/reload"}).status == 200);
    REQUIRE(Eventually([&] {
      return vigia.Value("vigia_baseline_regression{baseline=\"latency\",path=\"/slow\"}") == "1";
    }));
    const auto exported =
        command(vigia, {"export", "latency", "{path=~\"/slow|/calm\"}", "-o", file});
    INFO(exported.output);
    REQUIRE(exported.exit_code == 0);
    CHECK(command(vigia, {"export", "nothing"}).exit_code == 1);
  }
  Vigia other({.config = config});
  // Cut short: nothing is taken.
  const auto cut = (folder.path() / "cut.jsonl").string();
  const auto text = folder.Read("states.jsonl");
  folder.Write("cut.jsonl", text.substr(0, text.size() - 100));
  const auto refused = command(other, {"import", cut});
  CHECK(refused.exit_code == 1);
  CHECK(refused.output.find("cut short") != std::string::npos);
  const auto imported = command(other, {"import", file, "latency", "{path=\"/slow\"}"});
  INFO(imported.output);
  CHECK(imported.exit_code == 0);
  CHECK(imported.output == "1 series taken over\n");
  CHECK(command(other, {"import", file, "--check"}).output == "2 series would be taken over\n");
  // It goes on from there, what lasted lasts: with a day of silence in between, or a minute.
  const auto copy = command(other, {"export"});
  CHECK(copy.output.find("{\"series\":1,\"sha256\":") != std::string::npos);
  CHECK(copy.output.find("\"labels\":{\"path\":\"/slow\"}") != std::string::npos);
  // A baseline of this name that reads something else keeps to its own.
  other.WriteConfig(
      "collectors: {}\nbaselines: [ { name: latency, expr: other, interval: 5m } ]\n");
  REQUIRE(Ask(other.port(), {.method = "POST", .path = "/-/reload"}).status == 200);
  const auto left = command(other, {"import", file});
  CHECK(left.exit_code == 3);
  CHECK(left.output.find("its expression is another one here") != std::string::npos);
}
