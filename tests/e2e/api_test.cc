// The query API of the real daemon: beside a real Prometheus over the same data, through kills, and
// with clients that go away.

#include <signal.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/number.h"
#include "tests/api/message.h"
#include "tests/e2e/vigia.h"

using namespace vigia::test;
using namespace std::chrono_literals;
using nlohmann::json;
using vigia::Sample;
using vigia::Timestamp;

namespace {

const std::string kReceiver = "collectors: {}\nremote_write_receiver: true\n";

std::string Encode(const std::string& text) {
  constexpr const char* kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

HttpAnswer Push(int port, const Message& message) {
  return Ask(port, {.method = "POST",
                    .path = "/api/v1/write",
                    .headers = {{"Content-Encoding", "snappy"},
                                {"Content-Type", "application/x-protobuf"},
                                {"X-Prometheus-Remote-Write-Version", "0.1.0"}},
                    .body = message.Packed()});
}

Timestamp WallNow() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// A program on a folder of its own that is started again and again.
class Daemon {
 public:
  Daemon() { dir_.Write("vigia.yml", kReceiver); }

  void Start() {
    process_ = std::make_unique<Process>(Arguments());
    REQUIRE(process_->AwaitOutput("msg=ready"));
    const std::string mark = "address=127.0.0.1:";
    const auto output = process_->Output();
    port_ = std::stoi(output.substr(output.find(mark) + mark.size()));
  }
  void Kill() {
    process_->Signal(SIGKILL);
    process_->Wait();
  }
  std::vector<std::string> Arguments() const {
    return {VigiaProgram(), "serve",
            "--listen",     "127.0.0.1:0",
            "--config",     dir_.path() / "vigia.yml",
            "--data-dir",   dir_.path() / "data"};
  }
  int port() const { return port_; }

 private:
  TempDir dir_;
  std::unique_ptr<Process> process_;
  int port_ = 0;
};

// Half an hour of every shape that queries tell apart.
std::vector<Message> TestData(Timestamp end) {
  std::vector<Message> slices;
  constexpr int kSamples = 121;
  for (int i = 0; i < kSamples; ++i) {
    const Timestamp time = end - (kSamples - 1 - i) * 15'000;
    Message slice;
    for (int host = 0; host < 4; ++host) {
      const std::string name = "h" + std::to_string(host);
      const auto series = [&](const std::string& metric, double value,
                              std::vector<std::pair<std::string, std::string>> more = {}) {
        more.insert(more.begin(), {{"__name__", metric}, {"host", name}});
        slice.Series(std::move(more), {{time + host * 1'700, value}});
      };
      series("requests_total", (i % 40) * (host + 1) * 3.5, {{"code", "200"}});  // with resets
      series("requests_total", i / 7 * (host + 2), {{"code", "500"}});
      series("temperature", 20 + 5 * std::sin(i * 0.2 + host), {{"zone", host % 2 ? "a" : "b"}});
      series("queue", (i * 7 + host) % 4);
      if (i % 11 < 8) series("gappy", i);
      if (i % 14 == 8) series("ending", vigia::GoneMarker());
      if (i % 14 < 8) series("ending", i);
      for (const auto* le : {"0.1", "1", "10", "+Inf"}) {
        const double bound = le[0] == '+' ? 20 : std::atof(le);
        series("latency_bucket", std::floor(i * (host + 1) * std::min(1.0, bound / 12)),
               {{"le", le}});
      }
    }
    constexpr double kShapes[] = {1.5, -2, 0, vigia::kNaN, vigia::kInfinity, -vigia::kInfinity, 7};
    slice.Series({{"__name__", "special"}}, {{time, kShapes[i % 7]}});
    slices.push_back(std::move(slice));
  }
  return slices;
}

const char* const kQueries[] = {
    "requests_total",
    "rate(requests_total[5m])",
    "irate(requests_total[1m])",
    "increase(requests_total{code=\"500\"}[10m])",
    "sum by (host) (rate(requests_total[2m]))",
    "sum without (code) (requests_total)",
    "topk(2, temperature)",
    "bottomk by (zone) (1, temperature)",
    "quantile(0.3, temperature)",
    "stddev by (zone) (temperature)",
    "count_values(\"v\", queue)",
    "temperature > 20",
    "temperature > bool 20",
    "temperature * on (host) group_left (code) requests_total{code=\"200\"}",
    "requests_total / ignoring (code) group_left () queue",
    "gappy or queue",
    "queue and on (host) gappy",
    "queue unless on (host) gappy{host=\"h1\"}",
    "ending",
    "absent(ending)",
    "absent_over_time(ending[1m])",
    "changes(queue[10m])",
    "resets(requests_total[30m])",
    "deriv(temperature[5m])",
    "predict_linear(temperature[10m], 3600)",
    "holt_winters(temperature[5m], 0.3, 0.7)",
    "avg_over_time(special[5m])",
    "min_over_time(special[3m])",
    "stdvar_over_time(temperature[5m])",
    "quantile_over_time(0.9, temperature[10m])",
    "last_over_time(gappy[3m])",
    "present_over_time(gappy[1m])",
    "histogram_quantile(0.9, latency_bucket)",
    "histogram_quantile(0.5, sum by (le) (rate(latency_bucket[5m])))",
    "max_over_time(sum(rate(requests_total[1m]))[10m:1m])",
    "temperature offset 5m",
    "temperature offset -5m",
    "temperature @ end()",
    "sum_over_time(temperature[5m] @ start())",
    "label_replace(temperature, \"n\", \"$1\", \"host\", \"h(.*)\")",
    "label_join(temperature, \"j\", \"-\", \"host\", \"zone\")",
    "sort_desc(temperature)",
    "clamp(temperature, 18, 22)",
    "round(temperature, 0.5)",
    "day_of_week()",
    "time() - timestamp(queue)",
    "scalar(temperature{host=\"h1\"})",
    "vector(scalar(queue{host=\"h2\"}))",
    "-temperature ^ 2",
    "queue % 3",
    "special == special",
    "{__name__=~\"que.*|gap.*\"}",
    "{host!~\"h[0-2]\", __name__!=\"latency_bucket\"}",
    "group by (zone) (temperature)",
    "atan2(1)",
    "rate(temperature)",
    "sum(",
    "foo{bar=~\"(\"}",
    "queue + on (nothing) temperature",
};

bool Same(const json& a, const json& b) {
  const double x = vigia::ParseDouble(a.get<std::string>()).value();
  const double y = vigia::ParseDouble(b.get<std::string>()).value();
  return x == y || (std::isnan(x) && std::isnan(y)) ||
         std::fabs(x - y) <= 1e-9 * std::max(std::fabs(x), std::fabs(y));
}

bool SamePoints(const json& a, const json& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i][0] != b[i][0] || !Same(a[i][1], b[i][1])) return false;
  }
  return true;
}

// Labels -> points, whatever the order of the series.
std::map<std::string, json> BySeries(const json& result) {
  std::map<std::string, json> all;
  for (const auto& series : result) {
    all[series.at("metric").dump()] =
        series.contains("values") ? series["values"] : json::array({series["value"]});
  }
  return all;
}

// "" if both say the same.
std::string Difference(const HttpAnswer& reference, const HttpAnswer& ours) {
  const auto both = "\n  " + reference.body.substr(0, 300) + "\n  " + ours.body.substr(0, 300);
  if (reference.status != ours.status) return "status" + both;
  const auto a = json::parse(reference.body);
  const auto b = json::parse(ours.body);
  if (reference.status != 200) {
    return a.at("errorType") == b.at("errorType") ? "" : "error type" + both;
  }
  const auto& x = a.at("data");
  const auto& y = b.at("data");
  if (x.at("resultType") != y.at("resultType")) return "type" + both;
  if (x["resultType"] == "scalar") {
    return SamePoints(json::array({x["result"]}), json::array({y["result"]})) ? "" : "value" + both;
  }
  const auto wanted = BySeries(x.at("result"));
  const auto found = BySeries(y.at("result"));
  if (wanted.size() != found.size()) return "series" + both;
  for (const auto& [labels, points] : wanted) {
    const auto at = found.find(labels);
    if (at == found.end()) return "labels " + labels + both;
    if (!SamePoints(points, at->second)) return "values of " + labels + both;
  }
  return "";
}

}  // namespace

TEST_CASE("vigia and a real Prometheus answer the same over the same data", "[e2e]") {
  if (!HasProgram("prometheus")) {
    WARN("SKIPPED: prometheus is not installed (scripts/install-packages test)");
    return;
  }
  const TempDir dir;
  dir.Write("prometheus.yml", "global: { scrape_interval: 1h }\n");
  const int reference = FreePort();
  Process prometheus({"prometheus", "--config.file=" + (dir.path() / "prometheus.yml").string(),
                      "--storage.tsdb.path=" + (dir.path() / "data").string(),
                      "--web.enable-remote-write-receiver",
                      "--web.listen-address=127.0.0.1:" + std::to_string(reference)});
  REQUIRE(prometheus.AwaitOutput("Server is ready to receive web requests"));
  const Vigia vigia({.config = kReceiver + "query: { semantics: prometheus2 }\n"});

  const Timestamp end = WallNow() / 60'000 * 60'000;
  for (const auto& slice : TestData(end)) {
    REQUIRE(Push(reference, slice).status == 204);
    REQUIRE(Push(vigia.port(), slice).status == 204);
  }
  const auto seconds = [](Timestamp time) { return std::to_string(time / 1000); };
  for (const std::string query : kQueries) {
    const std::string instant =
        "/api/v1/query?query=" + Encode(query) + "&time=" + seconds(end - 300'000);
    const std::string range = "/api/v1/query_range?query=" + Encode(query) +
                              "&start=" + seconds(end - 2'100'000) + "&end=" + seconds(end) +
                              "&step=37";
    INFO(query);
    CHECK(Difference(Get(reference, instant), vigia.Get(instant)) == "");
    CHECK(Difference(Get(reference, range), vigia.Get(range)) == "");
  }
}

TEST_CASE("nothing that a writer was told is stored is lost by kill -9", "[e2e]") {
  Daemon daemon;
  const Timestamp begin = WallNow() - 600'000;
  int acknowledged = 0;
  for (int round = 1; round <= 4; ++round) {
    daemon.Start();
    std::atomic<int> stored = acknowledged;
    std::thread writer([&] {
      // Until the server dies under it.
      for (int i = stored; i < 100'000; ++i) {
        Message message;
        message.Series({{"__name__", "pushed"}, {"round", std::to_string(round)}},
                       {{begin + i, static_cast<double>(i)}});
        if (Push(daemon.port(), message).status != 204) return;
        stored = i + 1;
      }
    });
    while (stored < round * 60) std::this_thread::sleep_for(1ms);
    daemon.Kill();
    writer.join();
    acknowledged = stored;
    daemon.Start();
    const auto answer =
        Get(daemon.port(), "/api/v1/query?query=" + Encode("sum(count_over_time(pushed[20m])) >= " +
                                                           std::to_string(acknowledged)));
    INFO("round " << round << ", acknowledged " << acknowledged << ", answer " << answer.body);
    REQUIRE(answer.body.find("\"value\"") != std::string::npos);
    daemon.Kill();
  }
}

TEST_CASE("one daemon per data folder", "[e2e]") {
  Daemon daemon;
  daemon.Start();
  const auto second = RunProgram(daemon.Arguments());
  REQUIRE(second.exit_code == 1);
  REQUIRE(second.output.find("in use by another process") != std::string::npos);
}

TEST_CASE("a query ends when its client hangs up, and when its time is up", "[e2e]") {
  const Vigia vigia({.config = kReceiver});
  // Sorts 29 million values for each of 11,000 steps.
  const std::string path = "/api/v1/query_range?start=0&end=11000&step=1&query=" +
                           Encode("quantile_over_time(0.5, vector(time())[8h:1ms])");
  {
    const RawConnection client(vigia.port());
    REQUIRE(client.Send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"));
    std::this_thread::sleep_for(200ms);  // it takes some real time to be at it
  }
  REQUIRE(vigia.AwaitValue(
      "vigia_http_requests_total{code=\"499\",handler=\"/api/v1/query_range\"}", "1"));
  {
    // One that is reset leaves no trace but its absence.
    const RawConnection client(vigia.port());
    REQUIRE(client.Send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"));
    std::this_thread::sleep_for(200ms);
    client.Reset();
  }
  REQUIRE(vigia.AwaitValue(
      "vigia_http_requests_total{code=\"499\",handler=\"/api/v1/query_range\"}", "2"));
  const auto late = vigia.Get(path + "&timeout=100ms");
  REQUIRE(late.status == 503);
  REQUIRE(late.body.find("\"errorType\":\"timeout\"") != std::string::npos);
}

TEST_CASE("a query under way does not hold up the end of the daemon", "[e2e]") {
  Vigia vigia({.config = kReceiver});
  const RawConnection client(vigia.port());
  REQUIRE(client.Send("GET /api/v1/query_range?start=0&end=11000&step=1&query=" +
                      Encode("quantile_over_time(0.5, vector(time())[8h:1ms])") +
                      " HTTP/1.1\r\nHost: x\r\n\r\n"));
  std::this_thread::sleep_for(200ms);  // it takes some real time to be at it
  vigia.process().Signal(SIGTERM);
  REQUIRE(vigia.process().Wait(25s) == 0);
}

TEST_CASE("the deepest query that is taken does not end the daemon", "[e2e]") {
  const Vigia vigia;
  const auto nested = [&](int depth) {
    std::string query;
    for (int i = 0; i < depth; ++i) query += "1%2B(";
    query += "1";
    for (int i = 0; i < depth; ++i) query += ')';
    return vigia.Get("/api/v1/query?query=" + query).status;
  };
  REQUIRE(nested(50) == 200);
  REQUIRE(nested(400) == 200);
  REQUIRE(nested(1500) == 400);
  REQUIRE(vigia.Get("/-/healthy").status == 200);
}

TEST_CASE("vigia query asks a server and a file", "[e2e]") {
  const Vigia vigia({.config = kReceiver});
  const std::string url = "http://127.0.0.1:" + std::to_string(vigia.port());
  const std::string page =
      "# TYPE req counter\n"
      "req_total{a=\"x\"} 1 100\n"
      "req_total{a=\"x\"} 5 115\n"
      "req_total{a=\"y, z\"} 30 130.5\n"
      "# EOF\n";
  const TempDir dir;
  dir.Write("page.om", page);
  const std::string file = dir.path() / "page.om";

  const auto sum = RunProgram({VigiaProgram(), "query", "sum(vector(1)+1)", "--url", url});
  REQUIRE(sum.output == "SERIES  VALUE\n{}          2\n");
  REQUIRE(
      RunProgram({VigiaProgram(), "query", "req_total", "--data", file, "--time", "-15s"}).output ==
      "SERIES            VALUE\nreq_total{a=\"x\"}      5\n");
  REQUIRE(RunProgram({VigiaProgram(), "query", "req_total", "--data", file, "--format", "csv"})
              .output ==
          "__name__,a,time,value\n"
          "req_total,x,1970-01-01T00:02:10.500Z,5\n"
          "req_total,\"y, z\",1970-01-01T00:02:10.500Z,30\n");
  REQUIRE(RunProgram({VigiaProgram(), "query", "1", "--data", file, "--format", "json"}).output ==
          "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[130.500,\"1\"]}}"
          "\n");
  const auto curve = RunProgram({VigiaProgram(), "query", "req_total", "--data", file, "--start",
                                 "100", "--end", "130", "--step", "15"});
  REQUIRE(curve.output.find("1    5     5  ▁") != std::string::npos);
  const auto wrong = RunProgram({VigiaProgram(), "query", "sum(", "--data", file});
  REQUIRE(wrong.exit_code == 2);
  REQUIRE(wrong.output.find("1:5: parse error") != std::string::npos);
  REQUIRE(RunProgram({VigiaProgram(), "query", "1", "--url", "http://127.0.0.1:1"}).exit_code == 1);
}

TEST_CASE("a real Prometheus writes to vigia", "[e2e]") {
  if (!HasProgram("prometheus")) {
    WARN("SKIPPED: prometheus is not installed (scripts/install-packages test)");
    return;
  }
  const Vigia vigia({.config = kReceiver});
  const std::string address = "127.0.0.1:" + std::to_string(vigia.port());
  const TempDir dir;
  dir.Write("prometheus.yml",
            "global: { scrape_interval: 1s, external_labels: { replica: r1 } }\n"
            "scrape_configs: [ { job_name: self, static_configs: [ { targets: ['" +
                address +
                "'] } ] } ]\n"
                "remote_write: [ { url: 'http://" +
                address + "/api/v1/write', metadata_config: { send_interval: 1s } } ]\n");
  Process prometheus({"prometheus", "--config.file=" + (dir.path() / "prometheus.yml").string(),
                      "--storage.tsdb.path=" + (dir.path() / "data").string(),
                      "--web.listen-address=127.0.0.1:" + std::to_string(FreePort())});
  const auto until = std::chrono::steady_clock::now() + 60s;
  const auto has = [&](const std::string& path, const std::string& text) {
    while (vigia.Get(path).body.find(text) == std::string::npos) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(200ms);
    }
    return true;
  };
  REQUIRE(has("/api/v1/query?query=count_over_time(up{job=%22self%22,replica=%22r1%22}[1m])%3E2",
              "\"instance\":\"" + address + "\""));
  REQUIRE(has("/api/v1/metadata?metric=vigia_receiver_requests_total", "\"type\":\"counter\""));
  REQUIRE(vigia.Value("vigia_receiver_samples_refused_total") == "0");
}
