// A web application that really becomes slower: the webhook says by how much, since when and with
// which deploy. Beside it a view has a spike and another its daily peak, and nobody is told.
//
// A change has to last for about three quarters of an hour before it is told from an outage, so
// the daemon has a clock that runs sixty times as fast (tests/e2e/fast). What is scraped is real.

#include <signal.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "tests/e2e/vigia.h"
#include "tests/support/http_stub.h"
#include "tests/support/web_app.h"

using namespace vigia::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr auto kUsual = 50ms;
constexpr auto kSlower = 80ms;  // +60 %
constexpr auto kSpike = 200ms;
constexpr auto kPeak = 110ms;
constexpr std::int64_t kMinute = 60;  // seconds of the daemon's clock
constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kPeakLength = 4 * 3600;

// Sixteen days of a view's counters up to `end`, every two minutes. With `peak_at` it takes longer
// for four hours of every day, from that time on.
std::string Past(const std::string& view, std::int64_t end, std::optional<std::int64_t> peak_at) {
  constexpr std::int64_t kStep = 2 * kMinute;
  constexpr double kRequests = 100;
  const std::string name = "django_http_requests_latency_seconds_by_view_method";
  const std::string labels = "{method=\"GET\",view=\"" + view + "\"} ";
  std::mt19937 random(7);
  std::normal_distribution<double> noise(1, 0.04);
  std::string sums;
  std::string counts;
  double sum = 0;
  double count = 0;
  for (auto time = end - 16 * kDay; time < end; time += kStep) {
    const bool peak = peak_at && ((time - *peak_at) % kDay + kDay) % kDay < kPeakLength;
    sum += kRequests * std::chrono::duration<double>(peak ? kPeak : kUsual).count() * noise(random);
    count += kRequests;
    const auto stamp = " " + std::to_string(time) + "\n";
    sums += name + "_sum" + labels + std::to_string(sum) + stamp;
    counts += name + "_count" + labels + std::to_string(count) + stamp;
  }
  return "# TYPE " + name + " summary\n" + counts + sums + "# EOF\n";
}

// A vigia_fast with a past, which watches `app` and tells `chat`.
class FastVigia {
 public:
  FastVigia(const WebApp& app, const HttpStub& chat) : vigia_(Options()) {
    peak_at_ = Now() + 12 * kMinute;
    for (const std::string view : {"posts", "search", "checkout"}) {
      const auto past =
          Past(view, Now(), view == "checkout" ? std::optional(peak_at_) : std::nullopt);
      REQUIRE(Post("/api/v1/import/openmetrics", past).status / 100 == 2);
    }
    vigia_.WriteConfig(
        std::string(kHead) + "collectors:\n  scrape:\n    - { name: app, url: \"" + app.Url() +
        "\", interval: 30s }\n"
        "baselines:\n"
        "  - name: latency\n"
        "    expr: >-\n"
        "      sum by (view) (rate(django_http_requests_latency_seconds_by_view_method_sum[5m]))\n"
        "      / sum by (view) "
        "(rate(django_http_requests_latency_seconds_by_view_method_count[5m]))\n"
        "    floor: 0.01\n"
        "rules: [ bundled ]\n"
        "alerting:\n"
        "  route: { receiver: chat, group_by: [alertname], group_wait: 10s }\n"
        "  receivers: [ { name: chat, webhook_configs: [ { url: \"" +
        chat.Url("/hook") + "\" } ] } ]\n");
    REQUIRE(Post("/-/reload", "").status == 200);
  }

  Vigia& vigia() { return vigia_; }
  // What time it is for the daemon, in Unix seconds.
  std::int64_t Now() const {
    return static_cast<std::int64_t>(std::stod(Query("time()")["result"][1].get<std::string>()));
  }
  void AwaitTime(std::int64_t time) const {
    const auto until = std::chrono::steady_clock::now() + 120s;
    while (Now() < time) {
      REQUIRE(std::chrono::steady_clock::now() < until);
      std::this_thread::sleep_for(50ms);
    }
  }
  // When the daily peak of "checkout" begins today.
  std::int64_t peak_at() const { return peak_at_; }

  json Query(const std::string& expression) const {
    std::string encoded;
    for (const char c : expression) {
      char text[8];
      std::snprintf(text, sizeof text, "%%%02X", static_cast<unsigned char>(c));
      encoded += text;
    }
    return json::parse(vigia_.Get("/api/v1/query?query=" + encoded).body)["data"];
  }
  // The value of an expression that has one; NaN for none.
  double ValueOf(const std::string& expression) const {
    const auto result = Query(expression)["result"];
    if (result.empty()) return std::nan("");
    return std::stod(result[0]["value"][1].get<std::string>());
  }

 private:
  static constexpr const char* kHead = "history: { retention: 20d }\nevaluation_interval: 15s\n";

  static Vigia::Options Options() {
    return {.config = std::string(kHead) + "collectors: {}\n", .program = VIGIA_FAST_PROGRAM};
  }
  HttpAnswer Post(const std::string& path, const std::string& body) const {
    return Ask(vigia_.port(), {.method = "POST", .path = path, .body = body});
  }

  Vigia vigia_;
  std::int64_t peak_at_ = 0;
};

// "2026-11-28T05:30:00.123Z", to the second.
std::int64_t Seconds(const std::string& text) {
  std::tm parts{};
  REQUIRE(strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) != nullptr);
  return timegm(&parts);
}

// The alerts of baselines that a webhook was told, each once for each message.
std::vector<json> Told(const HttpStub& chat) {
  std::vector<json> out;
  for (const auto& request : chat.requests()) {
    const auto message = json::parse(request.body);
    for (const auto& alert : message["alerts"]) {
      if (alert["labels"].contains("baseline")) out.push_back(alert);
    }
  }
  return out;
}

}  // namespace

TEST_CASE(
    "a web server that becomes slower is told with size and time, a spike and the daily "
    "peak are not",
    "[e2e]") {
  WebApp app;
  for (const std::string view : {"posts", "search", "checkout"}) app.AddView(view, kUsual);
  const Visitors visitors(app, {"posts", "search", "checkout"});
  HttpStub chat;
  chat.Answer("/hook", {});
  FastVigia fast(app, chat);
  Vigia& vigia = fast.vigia();

  const auto start = fast.Now();
  fast.AwaitTime(start + 6 * kMinute);
  const auto deployed = RunProgram({VigiaProgram(), "mark", "deploy", "v2.0.0", "--url",
                                    "http://127.0.0.1:" + std::to_string(vigia.port())});
  INFO(deployed.output);
  REQUIRE(deployed.exit_code == 0);
  const auto changed = fast.Now();
  app.SetLatency("posts", kSlower);
  app.SetLatency("search", kSpike);
  fast.AwaitTime(fast.peak_at());
  app.SetLatency("checkout", kPeak);
  fast.AwaitTime(changed + 15 * kMinute);
  app.SetLatency("search", kUsual);

  while (Told(chat).empty()) {
    REQUIRE(fast.Now() < changed + 120 * kMinute);
    std::this_thread::sleep_for(100ms);
  }
  const auto told_at = fast.Now();
  // What comes a little later would be told, too, and the spike has been looked at for long enough.
  fast.AwaitTime(std::max(told_at + 5 * kMinute, changed + 50 * kMinute));
  const auto told = Told(chat);
  INFO(vigia.process().Output());
  for (const auto& alert : told) {
    INFO(alert.dump());
    CHECK(alert["labels"]["view"] == "posts");
    CHECK(alert["labels"]["alertname"] == "BaselineRegression");
  }
  // The size, the levels, the deploy, and the time.
  const auto summary = told[0]["annotations"]["summary"].get<std::string>();
  INFO(summary);
  const std::string head = "latency is worse than its normal: since v2.0.0: +";
  REQUIRE(summary.starts_with(head));
  CHECK(std::atof(summary.c_str() + head.size()) == Approx(60).margin(12));
  CHECK(summary.find(" % on latency{view=\"posts\"} (0.0") != std::string::npos);
  CHECK(summary.find(" the deploy (20") != std::string::npos);
  CHECK(summary.find(" UTC)") != std::string::npos);
  const auto events = json::parse(vigia.Get("/api/vigia/v1/events?type=baseline.").body)["events"];
  REQUIRE(events.size() == 1);
  const auto& details = events[0]["details"];
  INFO(events.dump());
  CHECK(std::abs(details["since"].get<std::int64_t>() / 1000 - changed) <= 12 * kMinute);
  CHECK(details["version"] == "v2.0.0");

  // The spike was noticed, for what it was; the peak was expected.
  CHECK(fast.ValueOf("max_over_time(vigia_baseline_anomaly{view=\"search\"}[1h])") == 1);
  CHECK(fast.ValueOf("max_over_time(vigia_baseline_regression{view=\"search\"}[1h])") == 0);
  CHECK(fast.ValueOf("max_over_time(vigia_baseline_regression{view=\"checkout\"}[1h])") == 0);
  CHECK(fast.ValueOf("vigia_baseline_expected{view=\"checkout\"}") == Approx(0.11).epsilon(0.15));
  CHECK(fast.ValueOf("vigia_baseline_ratio{view=\"checkout\"}") == Approx(1).epsilon(0.25));

  // The same rules over the same past find the same incident.
  vigia.dir().Write("past.yml",
                    "groups: [{name: g, interval: 15s, rules: [{alert: Slower, expr: "
                    "'vigia_baseline_change{state=\"regression\"} != 0'}]}]\n");
  const auto begin = start - start % kMinute;
  const auto now = fast.Now();
  const auto backtest = [&](const std::string& from, const std::string& where) {
    return RunProgram({VigiaProgram(), "backtest", (vigia.dir().path() / "past.yml").string(),
                       "--json", "--until", std::to_string(now), "--since",
                       std::to_string(now - begin) + "s", "--step", "15s", from, where, "--config",
                       (vigia.dir().path() / "vigia.yml").string()});
  };
  const auto past = backtest("--url", "http://127.0.0.1:" + std::to_string(vigia.port()));
  INFO(past.output);
  REQUIRE(past.exit_code == 0);
  const auto again = json::parse(past.output);
  REQUIRE(again["incidents"].size() == 1);
  const auto& incident = again["incidents"][0];
  CHECK(incident["labels"]["view"] == "posts");
  CHECK(incident["labels"]["text"].get<std::string>().starts_with("since v2.0.0: +"));
  CHECK(incident["value"].get<double>() ==
        Approx(std::atof(summary.c_str() + head.size()) / 100).margin(0.03));
  const auto firing = json::parse(
      vigia.Get("/api/vigia/v1/events?type=alert.firing&alert=BaselineRegression").body);
  REQUIRE(firing["events"].size() == 1);
  CHECK(std::abs(Seconds(firing["events"][0]["time"]) - Seconds(incident["firedAt"])) <=
        2 * kMinute);
  REQUIRE(again["baselines"].size() == 1);
  CHECK(again["baselines"][0]["learntSeries"] == 3);
  CHECK(again["baselines"][0]["learntValues"].get<int>() > 3 * 16 * 24 * 20 * 0.95);
  // And so they do over the files of a vigia that is not running.
  vigia.process().Signal(SIGTERM);
  REQUIRE(vigia.process().Wait() == 0);
  const auto files = backtest("--data-dir", (vigia.dir().path() / "data").string());
  INFO(files.output);
  REQUIRE(files.exit_code == 0);
  CHECK(json::parse(files.output)["incidents"] == again["incidents"]);
}
