// The daemon as a user meets it: starting, scraping, reloading, stopping.

#include <signal.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/e2e/vigia.h"
#include "tests/support/postgres_server.h"
#include "tests/support/redis_server.h"

using namespace vigia::test;
using namespace std::chrono_literals;

TEST_CASE("without a configuration vigia watches this host", "[e2e]") {
  const Vigia vigia;
  REQUIRE(vigia.AwaitValue("vigia_collector_up{collector=\"host.load\",instance=\"host\"}", "1"));
  const auto page = vigia.Metrics();

  REQUIRE(page.find("# TYPE node_cpu_seconds_total counter\n") != std::string::npos);
  REQUIRE(page.find("\nnode_memory_MemTotal_bytes ") != std::string::npos);
  REQUIRE(vigia.Get("/-/healthy").status == 200);
  REQUIRE(vigia.Get("/-/ready").status == 200);
  REQUIRE(vigia.Get("/").body.find("href=\"/metrics\"") != std::string::npos);
  REQUIRE(vigia.Get("/nothing").status == 404);
}

TEST_CASE("without a configuration a PostgreSQL and a Redis are found and watched", "[e2e]") {
  if (!PostgresServer::Installed() || !RedisServer::Available()) return;
  const PostgresServer postgres;
  const RedisServer redis;
  const Vigia vigia(
      {.environment = {
           {"PGHOST", postgres.socket_dir()}, {"PGUSER", "postgres"}, {"REDIS_URL", redis.url()}}});
  REQUIRE(vigia.AwaitValue("pg_up", "1"));
  REQUIRE(vigia.AwaitValue("redis_up", "1"));
  const auto output = vigia.process().Output();
  REQUIRE(output.find("msg=\"found and watched\" kind=postgres at=\"PG* variables\"") !=
          std::string::npos);
  REQUIRE(output.find("msg=\"found and watched\" kind=redis at=" + redis.url()) !=
          std::string::npos);
}

TEST_CASE("what is not found, or lets nobody in, is told in one line each", "[e2e]") {
  if (!RedisServer::Available()) return;
  const RedisServer redis({"--requirepass", "s3cret"});
  const TempDir empty;
  Vigia vigia({.environment = {{"PGHOST", empty.path() / "missing"}, {"REDIS_URL", redis.url()}}});
  const auto output = vigia.process().Output();
  REQUIRE(output.find("kind=redis tried=\"" + redis.url() + ": it wants a password") !=
          std::string::npos);
  REQUIRE(vigia.Value("redis_up").empty());
  REQUIRE(output.find("s3cret") == std::string::npos);
}

TEST_CASE("the page comes as text or OpenMetrics and compressed as asked", "[e2e]") {
  const Vigia vigia;

  const auto text = vigia.Get("/metrics");
  REQUIRE(text.headers.at("content-type").starts_with("text/plain; version=0.0.4"));
  REQUIRE(text.body.find("# EOF") == std::string::npos);

  const auto open =
      vigia.Get("/metrics", {{"Accept", "application/openmetrics-text;version=1.0.0"}});
  REQUIRE(
      open.headers.at("content-type").starts_with("application/openmetrics-text; version=1.0.0"));
  REQUIRE(open.body.ends_with("# EOF\n"));

  const auto gzip = vigia.Get("/metrics", {{"Accept-Encoding", "gzip"}});
  REQUIRE(gzip.headers.at("content-encoding") == "gzip");
  REQUIRE(gzip.body.size() < text.body.size() / 3);
}

TEST_CASE("collect and exclude choose collectors", "[e2e]") {
  const Vigia vigia;
  const auto one = vigia.Metrics("?collect[]=loadavg");
  REQUIRE(one.find("node_load1 ") != std::string::npos);
  REQUIRE(one.find("node_memory_MemTotal_bytes ") == std::string::npos);
  const auto rest = vigia.Metrics("?exclude[]=loadavg");
  REQUIRE(rest.find("\nnode_load1 ") == std::string::npos);
  REQUIRE(rest.find("node_memory_MemTotal_bytes ") != std::string::npos);
}

TEST_CASE("a wrong configuration stops the start with one line per fault", "[e2e]") {
  TempDir dir;
  dir.Write("vigia.yml", "listne: 127.0.0.1:0\ncollectors:\n  host: { interval: 5 }\n");
  const std::string file = dir.path() / "vigia.yml";
  const auto run = RunProgram({VigiaProgram(), "serve", "--config", file});
  REQUIRE(run.exit_code == 2);
  REQUIRE(run.output.find(file + ":1:1: unknown key 'listne'") != std::string::npos);
  REQUIRE(run.output.find("did you mean 'listen'?") != std::string::npos);
  REQUIRE(run.output.find(file + ":3:21: interval: '5' is not a duration") != std::string::npos);

  const auto check = RunProgram({VigiaProgram(), "check", file});
  REQUIRE(check.exit_code == 1);
  REQUIRE(check.output.find(file + ":1:1: ") != std::string::npos);
}

TEST_CASE("a port in use is named with the flag that changes it", "[e2e]") {
  const Vigia first;
  const std::string address = "127.0.0.1:" + std::to_string(first.port());
  const auto second = RunProgram({VigiaProgram(), "serve", "--listen", address});
  REQUIRE(second.exit_code == 1);
  REQUIRE(second.output.find(address) != std::string::npos);
  REQUIRE(second.output.find("--listen") != std::string::npos);
}

TEST_CASE("a reload with a broken file keeps the old configuration", "[e2e]") {
  Vigia vigia({.config = "collectors:\n  host: { interval: 1s }\n"});
  REQUIRE(vigia.AwaitValue("node_load1", vigia.Value("node_load1")));

  vigia.WriteConfig("collectors:\n  host: { interval: 1s, bogus: 1 }\n");
  const auto refused = Ask(vigia.port(), {.method = "POST", .path = "/-/reload"});
  REQUIRE(refused.status == 500);
  REQUIRE(refused.body.find("vigia.yml:2:") != std::string::npos);
  REQUIRE_FALSE(vigia.Value("node_load1").empty());
  REQUIRE(vigia.AwaitValue("vigia_config_last_reload_successful", "0"));

  vigia.WriteConfig("collectors:\n  host: { interval: 1s, load: false }\n");
  vigia.process().Signal(SIGHUP);
  REQUIRE(vigia.AwaitValue("node_load1", ""));
  REQUIRE(vigia.AwaitValue("vigia_config_last_reload_successful", "1"));
}

TEST_CASE("SIGTERM during a flood of requests loses no response", "[e2e]") {
  Vigia vigia;
  std::atomic<bool> stop = false;
  std::atomic<int> good = 0;
  std::atomic<int> cut = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      while (!stop) {
        const auto answer = vigia.Get("/metrics");
        // Refused or turned away once it stops; but an answer that begins is whole.
        if (answer.status == 200) {
          const auto length = answer.headers.find("content-length");
          const bool whole =
              length == answer.headers.end() || std::stoul(length->second) == answer.body.size();
          ++(whole ? good : cut);
        }
        if (answer.status == 0 || answer.status == 503) break;
      }
    });
  }
  while (good < 100) std::this_thread::yield();
  vigia.process().Signal(SIGTERM);
  REQUIRE(vigia.process().Wait(10s) == 0);
  stop = true;
  for (auto& client : clients) client.join();
  REQUIRE(cut == 0);
}

TEST_CASE("version, help and wrong usage", "[e2e]") {
  const auto version = RunProgram({VigiaProgram(), "version"});
  REQUIRE(version.exit_code == 0);
  REQUIRE(version.output.starts_with("vigia "));
  REQUIRE(RunProgram({VigiaProgram(), "--help"}).exit_code == 0);
  const auto wrong = RunProgram({VigiaProgram(), "serve", "--bogus"});
  REQUIRE(wrong.exit_code == 2);
}

TEST_CASE("docs metrics page is what vigia metrics prints", "[e2e]") {
  const auto page = RunProgram({VigiaProgram(), "metrics"});
  REQUIRE(page.exit_code == 0);
  std::ifstream file(std::string(VIGIA_SOURCE_DIR) + "/docs/metrics.md");
  const std::string docs((std::istreambuf_iterator<char>(file)), {});
  REQUIRE(page.output == docs);
}

TEST_CASE("whatever vigia says of itself is in its list of metrics", "[e2e]") {
  const auto list = RunProgram({VigiaProgram(), "metrics"}).output;
  const Vigia vigia({.config = "remote_write_receiver: true\n"});
  REQUIRE(vigia.Get("/-/healthy").status == 200);
  REQUIRE(vigia.AwaitValue("vigia_receiver_requests_total", "0"));
  std::istringstream page(vigia.Metrics());
  int own = 0;
  for (std::string line; std::getline(page, line);) {
    const std::string start = "# TYPE vigia_";
    if (!line.starts_with(start)) continue;
    const auto from = start.size() - 6;
    INFO(line);
    CHECK(list.find("| `" + line.substr(from, line.find(' ', from) - from) + "` |") !=
          std::string::npos);
    ++own;
  }
  CHECK(own > 50);
}
