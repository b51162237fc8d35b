// The sources of one running vigia: what their faults cost a scrape, and the real exporters
// beside it.

#include <dirent.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <set>
#include <sstream>
#include <thread>

#include "tests/e2e/vigia.h"
#include "tests/support/http_stub.h"
#include "tests/support/postgres_server.h"
#include "tests/support/redis_server.h"

namespace vigia::test {
namespace {

using namespace std::chrono_literals;

std::size_t OpenFiles(pid_t pid) {
  std::size_t count = 0;
  DIR* const folder = ::opendir(("/proc/" + std::to_string(pid) + "/fd").c_str());
  while (folder && ::readdir(folder)) ++count;
  ::closedir(folder);
  return count;
}

std::size_t Count(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

std::string Up(const std::string& collector) {
  return "vigia_collector_up{collector=\"" + collector + "\",instance=\"main\"}";
}

// "type name{labels}" of each family and series of a page that begins with `prefix`.
struct Page {
  std::map<std::string, std::string> types;
  std::map<std::string, std::string> values;
};

Page Parse(const std::string& text) {
  Page page;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) {
      const std::size_t blank = line.find(' ', 7);
      page.types[line.substr(7, blank - 7)] = line.substr(blank + 1);
    } else if (!line.empty() && line[0] != '#') {
      const std::size_t blank = line.rfind(' ');
      page.values[line.substr(0, blank)] = line.substr(blank + 1);
    }
  }
  return page;
}

// A page of an exporter, once it answers.
Page Await(int port, const std::string& path, const std::string& series) {
  for (int i = 0; i < 200; ++i) {
    const auto answer = Get(port, path);
    if (answer.status == 200 && answer.body.find("\n" + series) != std::string::npos) {
      return Parse(answer.body);
    }
    std::this_thread::sleep_for(100ms);
  }
  return {};
}

// How much of the families of `theirs` that begin with `prefix`, less those of the exporter's own,
// `ours` has with the same type.
double Coverage(const Page& theirs, const Page& ours, const std::string& prefix,
                std::string& missing) {
  double all = 0;
  double same = 0;
  for (const auto& [name, type] : theirs.types) {
    if (!name.starts_with(prefix) || name.find("_exporter_") != std::string::npos) continue;
    ++all;
    const auto found = ours.types.find(name);
    if (found != ours.types.end() && found->second == type) {
      ++same;
    } else {
      missing += name + " " + type + "\n";
    }
  }
  return all > 0 ? same / all : 0;
}

}  // namespace

TEST_CASE("sources that hang or are gone cost a scrape nothing and come back", "[e2e][timed]") {
  if (!PostgresServer::Installed() || !RedisServer::Available()) return;
  PostgresServer postgres;
  RedisServer redis;
  HttpStub endpoint;
  endpoint.Answer("/", {.body = "fine"});
  Vigia vigia({.config = "collectors:\n  host: { interval: 1s }\n"
                         "  postgres: { interval: 1s, timeout: 900ms, dsn: \"" +
                         postgres.dsn() + "\" }\n  redis: { interval: 1s, timeout: 900ms, url: \"" +
                         redis.url() +
                         "\" }\n  probe: { interval: 1s, targets: [ { timeout: "
                         "500ms, name: site, http: \"" +
                         endpoint.Url("/") + "\" } ] }\n"});
  REQUIRE(vigia.AwaitValue(Up("postgres"), "1"));
  REQUIRE(vigia.AwaitValue(Up("redis"), "1"));
  REQUIRE(vigia.AwaitValue("probe_success", "1"));
  const auto files = OpenFiles(vigia.process().pid());

  postgres.Freeze();
  redis.Freeze();
  endpoint.Answer("/", {.manner = StubAnswer::Manner::kHang});
  REQUIRE(vigia.AwaitValue(Up("postgres"), "0"));
  REQUIRE(vigia.AwaitValue(Up("redis"), "0"));
  REQUIRE(vigia.AwaitValue("probe_success", "0"));
  std::vector<double> took;
  for (int i = 0; i < 200; ++i) {
    const auto answer = vigia.Get("/metrics");
    REQUIRE(answer.status == 200);
    REQUIRE(answer.body.find("\nnode_load1 ") != std::string::npos);
    took.push_back(answer.took.count());
    std::this_thread::sleep_for(10ms);
  }
  std::sort(took.begin(), took.end());
  REQUIRE(took[197] < 0.15);
  const auto page = vigia.Metrics();
  REQUIRE(FindValue(page, "pg_up") == "0");
  REQUIRE(FindValue(page, "redis_up") == "0");
  REQUIRE(page.find("\npg_stat_database_") == std::string::npos);
  REQUIRE(page.find("\nredis_memory_") == std::string::npos);

  postgres.Thaw();
  redis.Thaw();
  endpoint.Answer("/", {.body = "fine"});
  REQUIRE(vigia.AwaitValue(Up("postgres"), "1"));
  REQUIRE(vigia.AwaitValue(Up("redis"), "1"));
  REQUIRE(vigia.AwaitValue("probe_success", "1"));
  const auto log = vigia.process().Output();
  INFO(log);
  for (const std::string collector : {"postgres", "redis"}) {
    REQUIRE(Count(log, "msg=\"collector failed\" collector=" + collector + " ") == 1);
    REQUIRE(Count(log, "msg=\"collector recovered\" collector=" + collector + " ") == 1);
  }
  REQUIRE(Count(log, "msg=\"target is unhealthy\"") == 1);
  REQUIRE(Count(log, "msg=\"target is healthy again\"") == 1);
  REQUIRE(OpenFiles(vigia.process().pid()) <= files + 8);
}

TEST_CASE("a redis that loads its data is watched, and fails its health check", "[e2e]") {
  if (!RedisServer::Available()) return;
  RedisServer redis(
      {"--enable-debug-command", "yes", "--loading-process-events-interval-bytes", "1024"});
  redis.Cli({"DEBUG", "POPULATE", "5000"});
  Vigia vigia({.config = "collectors:\n  redis: { interval: 1s, url: \"" + redis.url() +
                         "\" }\n  probe: { interval: 1s, targets: [ { timeout: 900ms, name: cache, "
                         "redis: \"" +
                         redis.url() + "\" } ] }\n"});
  REQUIRE(vigia.AwaitValue("probe_success", "1"));
  redis.Cli({"CONFIG", "SET", "key-load-delay", "500"});  // microseconds for each key
  const Process reload({"redis-cli", "-p", std::to_string(redis.port()), "DEBUG", "RELOAD"});
  REQUIRE(vigia.AwaitValue("probe_success", "0"));
  REQUIRE(vigia.AwaitValue("redis_loading_dump_file", "1"));
  REQUIRE(vigia.AwaitValue("probe_success", "1"));
  REQUIRE(vigia.Value("redis_up") == "1");
  REQUIRE(vigia.process().Output().find("LOADING") != std::string::npos);
}

TEST_CASE("vigia beside the real exporters says what they say", "[e2e]") {
  if (!PostgresServer::Installed() || !RedisServer::Available()) return;
  for (const auto* program :
       {"prometheus-postgres-exporter", "prometheus-redis-exporter", "prometheus-sql-exporter"}) {
    if (HasProgram(program)) continue;
    WARN("SKIPPED: " << program << " is not installed");
    return;
  }
  const PostgresServer postgres({"listen_addresses = '127.0.0.1'"});
  postgres.Sql("CREATE DATABASE app");
  postgres.Sql(
      "CREATE TABLE orders (state text); INSERT INTO orders SELECT CASE WHEN i % 3 = 0 "
      "THEN 'open' ELSE 'paid' END FROM generate_series(1, 300) i",
      "app");
  const RedisServer redis;
  redis.Cli({"SET", "key", "value"});
  // One socket folder of its own, so that no free port is needed.
  const std::string folder = postgres.socket_dir();
  const std::string dsn = "user=postgres host=" + folder + " dbname=app sslmode=disable";
  const TempDir dir;
  const std::string query = "SELECT state, count(*)::float AS orders FROM orders GROUP BY 1";
  dir.Write("sql.yml",
            "jobs:\n- name: shop\n  interval: 1s\n  connections: [ 'postgres://postgres@/"
            "app?host=" +
                folder +
                "&sslmode=disable' ]\n  queries:\n  - { name: "
                "shop_orders, help: h, labels: [state], values: [orders], query: '" +
                query + "' }\n");
  const int postgres_port = FreePort();
  const int redis_port = FreePort();
  const int sql_port = FreePort();
  const auto listen = [](int at) { return "127.0.0.1:" + std::to_string(at); };
  const Process postgres_exporter(
      {"prometheus-postgres-exporter", "--web.listen-address=" + listen(postgres_port)},
      {{"DATA_SOURCE_NAME", dsn}});
  const Process redis_exporter({"prometheus-redis-exporter", "-redis.addr", redis.url(),
                                "-web.listen-address", listen(redis_port)});
  const Process sql_exporter({"prometheus-sql-exporter", "-config.file", dir.path() / "sql.yml",
                              "-web.listen-address", listen(sql_port)},
                             {{"LOGLEVEL", "WARN"}});
  const Vigia vigia({.config = "collectors:\n  postgres: { interval: 1s, dsn: \"" + dsn +
                               "\" }\n  redis: { interval: 1s, url: \"" + redis.url() +
                               "\" }\n  kpi: { dsn: \"" + dsn +
                               "\", file: kpi.yml, interval: 1s }\n",
                     .files = {{"kpi.yml",
                                "collector_name: shop\nmetrics:\n  - metric_name: sql_shop_orders\n"
                                "    type: gauge\n    help: h\n    key_labels: [state]\n    "
                                "value_label: col\n    values: [orders]\n    query: " +
                                    query + "\n"}}});
  REQUIRE(vigia.AwaitValue("pg_up", "1"));
  REQUIRE(vigia.AwaitValue("redis_up", "1"));
  REQUIRE(vigia.AwaitValue("sql_shop_orders{col=\"orders\",state=\"open\"}", "100"));
  const auto from_postgres = Await(postgres_port, "/metrics", "pg_up 1");
  const auto from_redis = Await(redis_port, "/metrics", "redis_up 1");
  const auto from_sql = Await(sql_port, "/metrics", "sql_shop_orders{");
  const auto ours = Parse(vigia.Metrics());

  std::string missing;
  CHECK(Coverage(from_postgres, ours, "pg_", missing) >= 0.98);
  CHECK(Coverage(from_redis, ours, "redis_", missing) >= 0.98);
  CHECK(Coverage(from_sql, ours, "sql_shop_", missing) == 1);
  INFO(missing);
  REQUIRE(missing.size() < 1000);
  // Values that stand still agree.
  REQUIRE(ours.values.at("redis_db_keys{db=\"db0\"}") ==
          from_redis.values.at("redis_db_keys{db=\"db0\"}"));
  REQUIRE(ours.values.at("redis_config_maxclients") ==
          from_redis.values.at("redis_config_maxclients"));
  REQUIRE(ours.values.at("pg_settings_max_connections") ==
          from_postgres.values.at("pg_settings_max_connections{server=\"" + folder + ":5432\"}"));
  std::set<std::string> orders;
  for (const auto& [series, value] : from_sql.values) {
    if (series.starts_with("sql_shop_orders{")) orders.insert(value);
  }
  REQUIRE(orders == std::set<std::string>{"100", "200"});
  REQUIRE(ours.values.at("sql_shop_orders{col=\"orders\",state=\"paid\"}") == "200");
}

}  // namespace vigia::test
