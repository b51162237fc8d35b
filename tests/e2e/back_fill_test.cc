// A baseline of a vigia that has just been started reads its past from a real Prometheus.

#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>
#include <random>
#include <thread>

#include "tests/e2e/vigia.h"

using namespace vigia::test;
using namespace std::chrono_literals;

namespace {

// Fifteen days of two machines, as Prometheus has them: with job and instance.
void WriteLatencies(const std::filesystem::path& path, std::int64_t now) {
  constexpr std::int64_t kValues = 15 * 24 * 12;
  std::ofstream out(path);
  out << "# TYPE latency_seconds gauge\n";
  std::mt19937 random(5);
  std::normal_distribution<double> noise(1, 0.04);
  for (const std::string instance : {"web1:80", "web2:80"}) {
    for (std::int64_t i = kValues; i > 0; --i) {
      const std::int64_t time = now - now % 300 - i * 300;
      const double day = 1 + 0.5 * std::sin(static_cast<double>(time % 86'400) * 2 * M_PI / 86'400);
      const double value = (instance == "web1:80" ? 0.18 : 9.0) * day * noise(random);
      out << "latency_seconds{path=\"/a\",job=\"app\",instance=\"" << instance << "\"} " << value
          << " " << time << "\n";
    }
  }
  out << "# EOF\n";
}

class Prometheus {
 public:
  explicit Prometheus(std::int64_t now) {
    WriteLatencies(dir_.path() / "past.om", now);
    const auto blocks =
        RunProgram({"promtool", "tsdb", "create-blocks-from", "openmetrics",
                    (dir_.path() / "past.om").string(), (dir_.path() / "data").string()});
    INFO(blocks.output);
    REQUIRE(blocks.exit_code == 0);
    dir_.Write("prometheus.yml", "global: { scrape_interval: 1m }\n");
    // vigia may be quicker: then it asks again.
    process_ = std::make_unique<Process>(std::vector<std::string>{
        "prometheus", "--config.file=" + (dir_.path() / "prometheus.yml").string(),
        "--storage.tsdb.path=" + (dir_.path() / "data").string(),
        "--storage.tsdb.retention.time=30d",
        "--web.listen-address=127.0.0.1:" + std::to_string(port_)});
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (!Ready()) {
      REQUIRE(std::chrono::steady_clock::now() < until);
      std::this_thread::sleep_for(100ms);
    }
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  bool Ready() const {
    try {
      return Get(port_, "/-/ready").status == 200;
    } catch (const std::exception&) {
      return false;
    }
  }

  TempDir dir_;
  const int port_ = FreePort();
  std::unique_ptr<Process> process_;
};

}  // namespace

TEST_CASE("a baseline reads its past from Prometheus and is of use at once", "[e2e]") {
  if (!HasProgram("prometheus") || !HasProgram("promtool")) {
    WARN("SKIPPED: prometheus is not installed (scripts/install-packages test)");
    return;
  }
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  const Prometheus prometheus(now);
  Vigia vigia(
      {.config = "collectors: {}\nremote_write_receiver: true\n"
                 "query:\n  datasource:\n    url: " +
                 prometheus.url() +
                 "/\n    matchers: '{instance=\"web1:80\"}'\n"
                 "baselines: [ { name: latency, expr: latency_seconds, interval: 1s } ]\n"});
  // What it sees itself is 90 % above that of Prometheus, and has no job and no instance.
  const auto value = [&] {
    return 0.34 * (1 + 0.5 * std::sin(static_cast<double>(now % 86'400) * 2 * M_PI / 86'400));
  };
  const auto post = [&] {
    const auto text = "# TYPE latency_seconds gauge\nlatency_seconds{path=\"/a\"} " +
                      std::to_string(value()) + " " + std::to_string(std::time(nullptr)) +
                      "\n# EOF\n";
    REQUIRE(
        Ask(vigia.port(), {.method = "POST", .path = "/api/v1/import/openmetrics", .body = text})
                .status /
            100 ==
        2);
  };
  const std::string labels = "{baseline=\"latency\",path=\"/a\"}";
  const auto until = std::chrono::steady_clock::now() + 60s;
  while (vigia.Value("vigia_baseline_learning" + labels) != "0") {
    REQUIRE(std::chrono::steady_clock::now() < until);
    post();
    std::this_thread::sleep_for(500ms);
  }
  // Expected is what web1 was at this time of the day; web2 is fifty times slower.
  const double expected = std::atof(vigia.Value("vigia_baseline_expected" + labels).c_str());
  CHECK(expected == Approx(value() * 0.18 / 0.34).epsilon(0.15));
  const auto log = vigia.process().Output();
  INFO(log);
  const std::string line = "msg=\"baselines read their past from the datasource\"";
  CHECK(log.find(line) != std::string::npos);
  CHECK(log.find(line) == log.rfind(line));
  CHECK(log.find("baselines=1 series=1 ambiguous=0") != std::string::npos);
}

TEST_CASE("a datasource that does not answer delays nothing and is asked again", "[e2e]") {
  const int port = FreePort();
  Vigia vigia({.config = "collectors: {}\nquery: { datasource: { url: \"http://127.0.0.1:" +
                         std::to_string(port) +
                         "\" } }\nbaselines: [ { name: up, expr: nothing_yet, interval: 1s } ]\n"});
  REQUIRE(vigia.AwaitValue("vigia_baseline_series{baseline=\"up\"}", "0"));
  const std::string warning = "the datasource does not tell the past of baselines";
  const auto until = std::chrono::steady_clock::now() + 30s;
  while (vigia.process().Output().find(warning) == std::string::npos) {
    REQUIRE(std::chrono::steady_clock::now() < until);
    std::this_thread::sleep_for(100ms);
  }
  CHECK(vigia.Get("/-/healthy").status == 200);
}
