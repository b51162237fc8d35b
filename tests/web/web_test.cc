// The live page in a real browser, and the dashboards against real servers: Node.js drives both,
// the servers are the test's.

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "tests/e2e/vigia.h"
#include "tests/support/http_stub.h"
#include "tests/support/postgres_server.h"
#include "tests/support/redis_server.h"

namespace vigia::test {

using namespace std::chrono_literals;
namespace {

const std::string kSource = VIGIA_SOURCE_DIR;

std::string Script(const std::string& name) { return kSource + "/tests/" + name; }

// Loud, so that a skipped test does not look like a passed one.
bool HasAll(std::initializer_list<const char*> programs) {
  for (const auto* program : programs) {
    if (HasProgram(program)) continue;
    std::cerr << "SKIPPED: " << program << " is not installed\n";
    return false;
  }
  return PostgresServer::Installed();
}

void RunNode(std::vector<std::string> arguments, std::map<std::string, std::string> environment,
             std::chrono::seconds timeout) {
  arguments.insert(arguments.begin(), "node");
  Process node(std::move(arguments), std::move(environment));
  const auto code = node.Wait(timeout);
  INFO(node.Output());
  REQUIRE(code == 0);
}

std::vector<std::string> Dashboards() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(kSource + "/dashboards")) {
    if (entry.path().extension() == ".json") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// What django-prometheus says of an application with one view.
constexpr const char* kDjango = R"(# TYPE django_http_requests_before_middlewares_total counter
django_http_requests_before_middlewares_total 91
# TYPE django_http_responses_total_by_status counter
django_http_responses_total_by_status_total{status="200"} 89
django_http_responses_total_by_status_total{status="403"} 1
django_http_responses_total_by_status_total{status="500"} 1
# TYPE django_http_requests_latency_seconds_by_view_method histogram
django_http_requests_latency_seconds_by_view_method_bucket{view="home",method="GET",le="0.1"} 80
django_http_requests_latency_seconds_by_view_method_bucket{view="home",method="GET",le="+Inf"} 91
django_http_requests_latency_seconds_by_view_method_sum{view="home",method="GET"} 9
django_http_requests_latency_seconds_by_view_method_count{view="home",method="GET"} 91
)";

// Tables as Django makes them, with somebody who is active, writes and is answered.
constexpr const char* kShop = R"(
CREATE TABLE auth_user (id serial PRIMARY KEY, last_login timestamptz, is_staff bool NOT NULL,
                        is_active bool NOT NULL, date_joined timestamptz NOT NULL);
CREATE TABLE blog_post (id serial PRIMARY KEY, author_id int NOT NULL,
                        created_at timestamptz NOT NULL, published_at timestamptz);
CREATE TABLE blog_comment (id serial PRIMARY KEY, post_id int NOT NULL, author_id int NOT NULL,
                           created_at timestamptz NOT NULL);
CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY, user_id int);
INSERT INTO auth_user (last_login, is_staff, is_active, date_joined)
  SELECT now() - n * interval '1 hour', false, true, now() - n * interval '1 day'
  FROM generate_series(1, 60) n;
INSERT INTO blog_post (author_id, created_at, published_at)
  SELECT n, now() - n * interval '12 hours', now() - n * interval '12 hours'
  FROM generate_series(1, 60) n;
INSERT INTO blog_comment (post_id, author_id, created_at)
  SELECT n, 61 - n, now() - n * interval '12 hours' + interval '1 hour'
  FROM generate_series(1, 60) n;
INSERT INTO authtoken_token SELECT n::text, n FROM generate_series(1, 9) n)";

void CheckExpressions(const std::string& url, const std::string& name) {
  std::vector<std::string> arguments{Script("dashboards/expressions.mjs"), url, name,
                                     Script("dashboards/absent.json")};
  for (auto& file : Dashboards()) arguments.push_back(std::move(file));
  RunNode(std::move(arguments), {}, 200s);
}

}  // namespace

TEST_CASE("the live page's calls end, whatever answers them", "[web]") {
  if (!HasAll({"node"})) return;
  RunNode({Script("web/calls.mjs")}, {}, 60s);
}

TEST_CASE("the live page works in a browser", "[web]") {
  if (!HasAll({"node", "chromium", "redis-server"})) return;
  PostgresServer postgres;
  postgres.Sql(
      "CREATE TABLE \"<img src=x onerror=window.pwned=1>\" (id int); INSERT INTO "
      "\"<img src=x onerror=window.pwned=1>\" SELECT generate_series(1, 1000)");
  RedisServer redis;
  RunNode(
      {Script("web/page.mjs"), VIGIA_PROGRAM, VIGIA_PICTURES},
      {{"PG_DSN", postgres.dsn()}, {"REDIS_URL", redis.url()}, {"NODE_TOOLS", VIGIA_NODE_TOOLS}},
      500s);
}

TEST_CASE("the dashboards are up to date, well-formed and of Grafana's schema", "[web]") {
  if (!HasAll({"node"})) return;
  TempDir built;
  RunNode({kSource + "/dashboards/build.mjs", built.path()}, {}, 60s);
  for (const auto& file : Dashboards()) {
    INFO(file);
    const auto fresh = built.path() / std::filesystem::path(file).filename();
    REQUIRE(RunProgram({"cmp", file, fresh.string()}).exit_code == 0);
  }
  RunNode({Script("dashboards/check.mjs"), kSource + "/dashboards"}, {}, 60s);
  TempDir work;
  std::filesystem::create_directory_symlink(std::string(VIGIA_NODE_TOOLS) + "/node_modules",
                                            work.path() / "node_modules");
  RunNode({Script("dashboards/schema.mjs"), kSource + "/dashboards", work.path()}, {}, 120s);
}

TEST_CASE("every expression of the dashboards has an answer from vigia and from Prometheus",
          "[web]") {
  if (!HasAll({"node", "prometheus", "redis-server"})) return;
  PostgresServer postgres;
  postgres.Sql(
      "CREATE TABLE posts (id int PRIMARY KEY); INSERT INTO posts SELECT generate_series(1, 1000)");
  postgres.Sql(kShop);
  HttpStub django;
  django.Answer("/metrics",
                {.headers = {{"Content-Type", "text/plain; version=0.0.4"}}, .body = kDjango});
  RedisServer redis({"--maxmemory", "64mb"});
  redis.Cli({"lpush", "queue:mail", "a", "b"});
  redis.Cli({"set", "session", "1", "EX", "900"});
  const std::string health = "127.0.0.1:" + std::to_string(FreePort());
  Vigia vigia({.config = "collectors:\n"
                         "  host: { interval: 2s }\n"
                         "  postgres: { dsn: \"" +
                         postgres.dsn() +
                         "\", interval: 2s }\n"
                         "  redis: { url: \"" +
                         redis.url() +
                         "\", interval: 2s, key_patterns: \"queue:*\" }\n"
                         "  probe: { interval: 2s, targets: [ { http: \"http://" +
                         health +
                         "/-/healthy\" }, { name: closed, tcp: \"127.0.0.1:1\" } ] }\n"
                         "  kpi: { dsn: \"" +
                         postgres.dsn() +
                         "\", file: django, interval: 2s }\n"
                         "  scrape: { name: django, interval: 2s, url: \"" +
                         django.Url("/metrics") +
                         "\" }\n"
                         "baselines: [ { name: load, expr: node_load1, interval: 1s } ]\n",
               .flags = {"--listen", health}});
  const std::string target = "127.0.0.1:" + std::to_string(vigia.port());
  vigia.dir().Write("always.yml",
                    "groups: [ { name: always, rules: [ { alert: Always, expr: vector(1), labels: "
                    "{ severity: info } } ] } ]\n");
  vigia.dir().Write("prometheus.yml",
                    "global: { scrape_interval: 2s, evaluation_interval: 2s }\n"
                    "rule_files: [ always.yml ]\n"
                    "scrape_configs: [ { job_name: vigia, honor_labels: true, static_configs: [ { "
                    "targets: [\"" +
                        target + "\"] } ] } ]\n");
  const int port = FreePort();
  const std::string address = "127.0.0.1:" + std::to_string(port);
  Process prometheus({"prometheus",
                      "--config.file=" + (vigia.dir().path() / "prometheus.yml").string(),
                      "--storage.tsdb.path=" + (vigia.dir().path() / "tsdb").string(),
                      "--web.listen-address=" + address});
  REQUIRE(
      RunProgram({VIGIA_PROGRAM, "mark", "deploy", "v1", "--url", "http://" + target}).exit_code ==
      0);
  REQUIRE(Ask(vigia.port(), {.method = "POST",
                             .path = "/api/vigia/v1/events",
                             .headers = {{"Origin", "http://elsewhere.example"}},
                             .body = "{}"})
              .status == 403);
  REQUIRE(prometheus.AwaitOutput("Server is ready to receive web requests"));
  CheckExpressions("http://" + target, "vigia");
  CheckExpressions("http://" + address, "prometheus");
}

// Other people's dashboards, which are not ours to pass on: a folder of Grafana's JSON for
// node_exporter, postgres_exporter and redis_exporter.
TEST_CASE("public dashboards are filled to 95 percent by a Prometheus that scrapes vigia",
          "[web]") {
  if (!HasAll({"node", "prometheus", "redis-server"})) return;
  const char* const folder = std::getenv("VIGIA_PUBLIC_DASHBOARDS");
  if (!folder) {
    std::cerr << "SKIPPED: VIGIA_PUBLIC_DASHBOARDS names no folder of dashboards\n";
    return;
  }
  TempDir hardware;
  RunNode({Script("dashboards/hardware.mjs"), (hardware.path() / "root").string()}, {}, 60s);
  PostgresServer postgres;
  postgres.Sql(kShop);
  RedisServer primary({"--maxmemory", "64mb"});
  primary.Cli({"set", "session", "1", "EX", "900"});
  const auto at = primary.url().rfind(':');
  RedisServer replica(
      {"--maxmemory", "64mb", "--replicaof", "127.0.0.1", primary.url().substr(at + 1)});
  const std::string root = (hardware.path() / "root").string();
  Vigia vigia({.config = "collectors:\n"
                         "  host: { interval: 2s, procfs: \"" +
                         root + "/proc\", sysfs: \"" + root +
                         "/sys\", processes: true, tcpstat: true, interrupts: true, textfile: { "
                         "directory: \"" +
                         root + "\" } }\n  postgres: { dsn: \"" + postgres.dsn() +
                         "\", interval: 2s }\n  redis: { url: \"" + replica.url() +
                         "\", interval: 2s }\nrules: []\n"});
  vigia.dir().Write("prometheus.yml",
                    "global: { scrape_interval: 2s }\n"
                    "scrape_configs: [ { job_name: postgres, static_configs: [ { targets: [\"127.0."
                    "0.1:" +
                        std::to_string(vigia.port()) + "\"] } ] } ]\n");
  const std::string address = "127.0.0.1:" + std::to_string(FreePort());
  Process prometheus({"prometheus",
                      "--config.file=" + (vigia.dir().path() / "prometheus.yml").string(),
                      "--storage.tsdb.path=" + (vigia.dir().path() / "tsdb").string(),
                      "--web.listen-address=" + address});
  REQUIRE(prometheus.AwaitOutput("Server is ready to receive web requests"));
  RunNode({Script("dashboards/public.mjs"), folder, "http://" + address, "--least", "95"}, {},
          120s);
}

}  // namespace vigia::test
