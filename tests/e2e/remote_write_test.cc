// Remote write out, against the real thing: what vigia collects arrives in a Prometheus, whatever
// happens to either meanwhile.

#include <signal.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <thread>

#include "core/number.h"
#include "tests/e2e/vigia.h"

using namespace vigia::test;
using namespace std::chrono_literals;

namespace {

bool Missing(const std::string& program) {
  if (HasProgram(program)) return false;
  WARN("SKIPPED: " + program + " is not installed (scripts/install-packages test)");
  return true;
}

// The value of the only result of an instant query.
double ValueAt(int port, const std::string& expression) {
  const auto body = Get(port, "/api/v1/query?query=" + expression).body;
  const std::string mark = "\"value\":[";
  const std::size_t at = body.find(mark);
  if (at == std::string::npos) return 0;
  const std::size_t begin = body.find('"', at + mark.size()) + 1;
  return vigia::ParseDouble(body.substr(begin, body.find('"', begin) - begin)).value_or(0);
}

// A Prometheus that takes remote write, on one port and one folder however often it is started.
class Receiver {
 public:
  Receiver() : port_(FreePort()) {
    dir_.Write("prometheus.yml", "global: {}\n");
    Start();
  }

  void Start() {
    process_ = std::make_unique<Process>(std::vector<std::string>{
        "prometheus", "--config.file=" + (dir_.path() / "prometheus.yml").string(),
        "--storage.tsdb.path=" + (dir_.path() / "data").string(),
        "--web.listen-address=127.0.0.1:" + std::to_string(port_),
        "--web.enable-remote-write-receiver"});
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (Get(port_, "/-/ready").status != 200) {
      REQUIRE(std::chrono::steady_clock::now() < until);
      std::this_thread::sleep_for(50ms);
    }
  }
  void Stop() { process_.reset(); }

  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/api/v1/write"; }

 private:
  const int port_;
  TempDir dir_;
  std::unique_ptr<Process> process_;
};

// VictoriaMetrics on a port and a folder of its own.
class VictoriaMetrics {
 public:
  VictoriaMetrics() : port_(FreePort()) {
    process_ = std::make_unique<Process>(std::vector<std::string>{
        "victoria-metrics", "-storageDataPath=" + (dir_.path() / "data").string(),
        "-httpListenAddr=127.0.0.1:" + std::to_string(port_), "-search.latencyOffset=0s",
        "-loggerLevel=WARN"});
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (Get(port_, "/health").status != 200) {
      REQUIRE(std::chrono::steady_clock::now() < until);
      std::this_thread::sleep_for(50ms);
    }
  }

  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/api/v1/write"; }

 private:
  const int port_;
  TempDir dir_;
  std::unique_ptr<Process> process_;
};

std::int64_t NowSeconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Gives vigia samples by OpenMetrics text.
void Import(const Vigia& vigia, const std::string& lines) {
  const auto answer =
      Ask(vigia.port(),
          {.method = "POST", .path = "/api/v1/import/openmetrics", .body = lines + "# EOF\n"});
  INFO(answer.body);
  REQUIRE(answer.status == 200);
}

// One of vigia_remote_write_* of the endpoint "main"; 0 if it is not there.
double Sent(const Vigia& vigia, const std::string& metric, const std::string& url,
            const std::string& reason = {}) {
  const std::string first = reason.empty() ? "" : "reason=\"" + reason + "\",";
  const auto text = vigia.Value("vigia_remote_write_" + metric + "{" + first +
                                "remote_name=\"main\",url=\"" + url + "\"}");
  return vigia::ParseDouble(text).value_or(0);
}

// Sends what it is given and nothing else.
std::string OnlySending(const std::string& url) {
  return "collectors: {}\nrules: []\nremote_write:\n  - url: " + url +
         "\n    name: main\n    queue_config: { batch_send_deadline: 100ms, max_backoff: 500ms }\n"
         "    metadata_config: { send: false }\n";
}

std::string Config(const std::string& url) {
  return "collectors:\n  host: { interval: 200ms }\nrules: []\n"
         "external_labels: { site: test }\n"
         "remote_write:\n"
         "  - url: " +
         url +
         "\n"
         "    name: main\n"
         "    queue_config: { batch_send_deadline: 200ms, max_backoff: 500ms }\n"
         "    metadata_config: { send_interval: 5s }\n"
         "    write_relabel_configs:\n"
         "      - { source_labels: [__name__], regex: node_cpu_.*, action: drop }\n";
}

template <typename Condition>
bool Eventually(Condition condition, std::chrono::seconds limit = 40s) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(100ms);
  }
  return true;
}

}  // namespace

TEST_CASE("Prometheus gets everything, through its outage and vigia's end", "[e2e]") {
  if (Missing("prometheus")) return;
  Receiver receiver;
  const TempDir data;
  const std::string data_dir = (data.path() / "data").string();
  const auto start = [&] {
    return std::make_unique<Vigia>(
        Vigia::Options{.config = Config(receiver.url()), .data_dir = data_dir});
  };
  auto vigia = start();
  const std::string load = "node_load1{site=%22test%22}";
  REQUIRE(Eventually(
      [&] { return ValueAt(receiver.port(), "count_over_time(" + load + "[5m])") > 3; }));
  // What is relabelled away does not come.
  REQUIRE(ValueAt(receiver.port(), "count({__name__=~%22node_cpu_seconds.*%22})") == 0);

  receiver.Stop();
  REQUIRE(Eventually([&] {
    const auto failed = vigia->Value(
        "vigia_remote_write_retries_total{remote_name=\"main\",url=\"" + receiver.url() + "\"}");
    return vigia::ParseDouble(failed).value_or(0) > 0;
  }));
  std::this_thread::sleep_for(1500ms);  // samples that only the journal has
  vigia->process().Signal(SIGKILL);
  vigia.reset();
  vigia = start();
  std::this_thread::sleep_for(1s);
  receiver.Start();

  // Nothing that vigia remembers is missing there: as many samples, and the same sum.
  REQUIRE(Eventually([&] {
    const std::string sent = vigia->Value(
        "vigia_remote_write_samples_total{remote_name=\"main\",url=\"" + receiver.url() + "\"}");
    return vigia::ParseDouble(sent).value_or(0) > 0;
  }));
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  const std::string at = "%20%40%20" + std::to_string(now);
  for (const std::string name :
       {"node_load1", "node_memory_MemFree_bytes", "node_context_switches_total"}) {
    const std::string count = "count_over_time(" + name + "[10m]" + at + ")";
    const std::string sum = "sum_over_time(" + name + "[10m]" + at + ")";
    CAPTURE(name);
    const bool equal = Eventually([&] {
      return ValueAt(receiver.port(), count) == ValueAt(vigia->port(), count) &&
             ValueAt(receiver.port(), sum) == Approx(ValueAt(vigia->port(), sum)).epsilon(1e-12);
    });
    CAPTURE(ValueAt(receiver.port(), count), ValueAt(vigia->port(), count));
    REQUIRE(equal);
    REQUIRE(ValueAt(vigia->port(), count) > 10);
  }
}

TEST_CASE("an endpoint that a reload does not touch goes on", "[e2e]") {
  if (Missing("prometheus")) return;
  Receiver receiver;
  Vigia vigia({.config = Config(receiver.url())});
  const std::string sent =
      "vigia_remote_write_samples_total{remote_name=\"main\",url=\"" + receiver.url() + "\"}";
  const auto value = [&] { return vigia::ParseDouble(vigia.Value(sent)).value_or(0); };
  REQUIRE(Eventually([&] { return value() > 100; }));
  const double before = value();
  REQUIRE(Ask(vigia.port(), {.method = "POST", .path = "/-/reload"}).status == 200);
  REQUIRE(Eventually([&] { return value() > before; }));  // the counters have not begun anew

  vigia.WriteConfig("collectors:\n  host: { interval: 200ms }\nrules: []\n");
  REQUIRE(Ask(vigia.port(), {.method = "POST", .path = "/-/reload"}).status == 200);
  REQUIRE(Eventually([&] { return vigia.Value(sent).empty(); }));
}

TEST_CASE("vigia takes what vigia sends, descriptions too", "[e2e]") {
  const Vigia receiver({.config = "collectors: {}\nremote_write_receiver: true\n"});
  const Vigia sender(
      {.config = Config("http://127.0.0.1:" + std::to_string(receiver.port()) + "/api/v1/write")});
  REQUIRE(
      Eventually([&] { return ValueAt(receiver.port(), "count_over_time(node_load1[5m])") > 3; }));
  REQUIRE(Eventually([&] {
    const auto answer = receiver.Get("/api/v1/metadata?metric=node_load1").body;
    return answer.find("gauge") != std::string::npos;
  }));
}

TEST_CASE("of a request that Prometheus refuses in part the rest arrives", "[e2e]") {
  if (Missing("prometheus")) return;
  Receiver receiver;
  const Vigia vigia({.config = OnlySending(receiver.url())});
  const std::int64_t now = NowSeconds();
  Import(vigia, "late 1 " + std::to_string(now) + "\n");
  REQUIRE(Eventually([&] { return ValueAt(receiver.port(), "late") == 1; }));

  // Prometheus takes no sample that is older than the last of its series, and answers 400 to all
  // of the request that has one.
  std::string lines;
  for (int i = 0; i < 20; ++i) {
    lines += "good{i=\"" + std::to_string(i) + "\"} 7 " + std::to_string(now) + "\n";
  }
  Import(vigia, lines + "late 2 " + std::to_string(now - 60) + "\n");
  REQUIRE(Eventually([&] { return ValueAt(receiver.port(), "sum(good)") == 140; }));
  REQUIRE(Eventually(
      [&] { return Sent(vigia, "samples_dropped_total", receiver.url(), "refused") == 1; }));
  REQUIRE(vigia.process().Output().find("out of order") != std::string::npos);
  REQUIRE(Sent(vigia, "samples_total", receiver.url()) == 21);
  REQUIRE(Sent(vigia, "lag_seconds", receiver.url()) == 0);
}

TEST_CASE("a receiver that limits its clients gets everything, later", "[e2e]") {
  const Vigia receiver({.config = "collectors: {}\nrules: []\nremote_write_receiver: true\n"
                                  "web_config: web.yml\n",
                        .files = {{"web.yml", "rate_limit: { interval: 2s, burst: 1 }\n"}}});
  const std::string url = "http://127.0.0.1:" + std::to_string(receiver.port()) + "/api/v1/write";
  const Vigia vigia({.config = OnlySending(url)});
  const std::int64_t now = NowSeconds();
  for (int i = 0; i < 10; ++i) {
    Import(vigia, "limited{i=\"" + std::to_string(i) + "\"} 1 " + std::to_string(now) + "\n");
    std::this_thread::sleep_for(400ms);  // a request each second, as the journal is written
  }
  REQUIRE(Eventually([&] { return Sent(vigia, "samples_total", url) == 10; }));
  REQUIRE(Sent(vigia, "retries_total", url) > 0);
  REQUIRE(Sent(vigia, "samples_dropped_total", url, "refused") == 0);
  // The query is one of its clients, too.
  REQUIRE(Eventually([&] { return ValueAt(receiver.port(), "count(limited)") == 10; }));
}

TEST_CASE("VictoriaMetrics gets what vigia remembers", "[e2e]") {
  if (Missing("victoria-metrics")) return;
  const VictoriaMetrics receiver;
  const Vigia vigia({.config = Config(receiver.url())});
  const std::string load = "count_over_time(node_load1{site=%22test%22}[5m])";
  REQUIRE(Eventually([&] { return ValueAt(receiver.port(), load) > 10; }));
  REQUIRE(Sent(vigia, "samples_dropped_total", receiver.url(), "refused") == 0);
  REQUIRE(ValueAt(receiver.port(), "count({__name__=~%22node_cpu_seconds.*%22})") == 0);
  const std::string at = std::to_string(NowSeconds() - 1);
  const std::string sum = "sum_over_time(node_memory_MemFree_bytes[10m])&time=" + at;
  REQUIRE(Eventually([&] {
    const double here = ValueAt(vigia.port(), sum);
    return here > 0 && ValueAt(receiver.port(), sum) == Approx(here).epsilon(1e-12);
  }));
}
