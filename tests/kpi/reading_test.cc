// Queries against a real PostgreSQL: values, schedules, ages, and what goes wrong.

#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/kpi/entry.h"
#include "tests/support/postgres_server.h"

using namespace vigia;
using namespace vigia::test;

namespace {

std::string Dsn(const PostgresServer& server) { return "dsn: '" + server.dsn() + "', "; }

// A file with one metric per query: name -> SQL, of which the column n is the value.
std::string File(const std::vector<std::pair<std::string, std::string>>& metrics,
                 const std::string& head = "") {
  std::string text = "collector_name: t\n" + head + "metrics:\n";
  for (const auto& [name, sql] : metrics) {
    text += "  - metric_name: " + name +
            "\n    type: gauge\n    help: h\n    values: [n]\n    query: \"" + sql + "\"\n";
  }
  return text;
}

std::string Of(const std::string& metric, const std::string& query) {
  return metric + "{collector=\"t\",query=\"" + query + "\"}";
}

}  // namespace

TEST_CASE("columns become labels and values", "[kpi]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  server.Sql(
      "CREATE TABLE orders (state text, n int, total numeric, seen timestamptz);"
      "INSERT INTO orders VALUES ('open', 3, 9.5, '2026-11-23 20:15:00+00'),"
      "  ('paid', NULL, 'NaN', NULL), (NULL, 1e3, -1, NULL)");
  Entry entry({{"shop.yml", R"(
collector_name: shop
metrics:
  - metric_name: shop_orders
    type: counter
    help: h
    key_labels: [state]
    static_labels: { env: dev }
    values: [n]
    query_ref: orders
  - metric_name: shop_money
    type: gauge
    help: h
    key_labels: [state]
    value_label: kind
    values: [n, total]
    timestamp_value: seen
    query_ref: orders
  - metric_name: shop_states
    type: gauge
    help: h
    key_labels: [state]
    static_value: 1
    query: SELECT DISTINCT state FROM orders WHERE state IS NOT NULL;
queries:
  - query_name: orders
    query: SELECT state, n, total, seen FROM orders
)"}},
              Dsn(server) + "file: shop.yml");
  REQUIRE(entry.faults().empty());
  REQUIRE(entry.Run());

  CHECK(entry.Values() ==
        "shop_money{kind=\"n\",state=\"open\"} 3\n"
        "shop_money{kind=\"n\"} 1000\n"
        "shop_money{kind=\"total\",state=\"open\"} 9.5\n"
        "shop_money{kind=\"total\",state=\"paid\"} NaN\n"
        "shop_money{kind=\"total\"} -1\n"
        "shop_orders{env=\"dev\",state=\"open\"} 3\n"
        "shop_orders{env=\"dev\"} 1000\n"
        "shop_states{state=\"open\"} 1\n"
        "shop_states{state=\"paid\"} 1\n");
  CHECK(entry.TimeOf("shop_money{kind=\"n\",state=\"open\"}") == 1'795'464'900'000);
  CHECK(entry.TimeOf("shop_money{kind=\"n\"}") == 0);
  CHECK(entry["vigia_kpi_query_rows{collector=\"shop\",query=\"orders\"}"] == 3);
}

TEST_CASE("each query runs when its own interval has passed", "[kpi]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  server.Sql("CREATE TABLE t (n int); INSERT INTO t VALUES (1)");
  std::string quick = File({{"quick", "SELECT n FROM t"}}, "min_interval: 1m\n");
  quick.replace(quick.find(": t\n"), 4, ": u\n");
  Entry entry({{"quick.yml", quick}, {"slow.yml", File({{"slow", "SELECT n FROM t"}})}},
              Dsn(server) + "file: [quick.yml, slow.yml], interval: 5m");
  REQUIRE(entry.faults().empty());
  CHECK(entry.instances()[0].interval == 15s);
  REQUIRE(entry.Run());
  CHECK(entry.Values() == "quick 1\nslow 1\n");
  CHECK(entry[Of("vigia_kpi_age_seconds", "slow")] == 0);

  server.Sql("UPDATE t SET n = 2");
  entry.clock.Advance(45s);
  REQUIRE(entry.Run());
  CHECK(entry.Values() == "quick 1\nslow 1\n");
  CHECK(entry[Of("vigia_kpi_age_seconds", "slow")] == 45);

  entry.clock.Advance(15s);
  REQUIRE(entry.Run());
  CHECK(entry.Values() == "quick 2\nslow 1\n");
  CHECK(entry[Of("vigia_kpi_age_seconds", "slow")] == 60);

  entry.clock.Advance(240s);
  REQUIRE(entry.Run());
  CHECK(entry.Values() == "quick 2\nslow 2\n");
  CHECK(entry[Of("vigia_kpi_age_seconds", "slow")] == 0);
}

TEST_CASE("a query that fails keeps its last value until that is too old", "[kpi]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  server.Sql("CREATE TABLE t (n int); INSERT INTO t VALUES (1)");
  Entry entry({{"t.yml", File({{"bad", "SELECT n FROM t"}, {"good", "SELECT 7 AS n"}})}},
              Dsn(server) + "file: t.yml, interval: 1m, max_age: 2m");
  REQUIRE(entry.Run());
  CHECK(entry.Values() == "bad 1\ngood 7\n");
  CHECK(entry[Of("vigia_kpi_query_up", "bad")] == 1);
  CHECK(entry[Of("vigia_kpi_query_errors_total", "bad")] == 0);

  server.Sql("ALTER TABLE t RENAME TO gone");
  for (int minute = 1; minute <= 2; ++minute) {
    entry.clock.Advance(60s);
    REQUIRE(entry.Run());
    CHECK(entry.Values() == "bad 1\ngood 7\n");
    CHECK(entry[Of("vigia_kpi_age_seconds", "bad")] == 60 * minute);
    CHECK(entry[Of("vigia_kpi_query_up", "bad")] == 0);
    CHECK(entry[Of("vigia_kpi_query_up", "good")] == 1);
    CHECK(entry[Of("vigia_kpi_query_errors_total", "bad")] == minute);
    CHECK(entry.withdrawn().empty());
  }

  // The view fails, which makes its series unknown; what is known of the query stays.
  entry.clock.Advance(60s);
  REQUIRE(entry.Run());
  CHECK(entry.Values() == "good 7\n");
  CHECK(entry[Of("vigia_kpi_age_seconds", "bad")] == 180);
  CHECK(entry[Of("vigia_kpi_query_errors_total", "bad")] == 3);
  REQUIRE(entry.withdrawn().size() == 1);
  const auto& message = entry.withdrawn().at("kpi.t.bad");
  CHECK(message.find("no answer for 2m: ") == 0);
  CHECK(message.find("t.yml:7:12: query bad: relation \"t\" does not exist") != std::string::npos);

  server.Sql("ALTER TABLE gone RENAME TO t; UPDATE t SET n = 5");
  entry.clock.Advance(60s);
  REQUIRE(entry.Run());
  CHECK(entry.Values() == "bad 5\ngood 7\n");
  CHECK(entry[Of("vigia_kpi_query_up", "bad")] == 1);
  CHECK(entry[Of("vigia_kpi_query_errors_total", "bad")] == 3);
}

TEST_CASE("a bad answer is an error of its query alone and says what is wrong", "[kpi]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  server.Sql("CREATE ROLE guest LOGIN; CREATE TABLE secret (n int)");
  const std::vector<std::pair<std::string, std::string>> bad{
      {"many", "SELECT generate_series(1, 1000000) AS n"},
      {"word", "SELECT 'ten' AS n"},
      {"twice", "SELECT 1 AS n UNION ALL SELECT 2"},
      {"column", "SELECT 1 AS m"},
      {"empty", "SELECT 1 AS m WHERE false"},
      {"syntax", "SELEC 1"},
      {"writes", "CREATE TABLE x (n int)"},
      {"right", "SELECT n FROM secret"},
      {"two", "SELECT 1 AS n; SELECT 2 AS n"},
      {"copy", "COPY (SELECT 1) TO STDOUT"},
      {"begin", "BEGIN"},
      {"huge", "SELECT repeat('x', 20000000) AS n"},
      {"zero", "SELECT 1 / 0 AS n"},
      {"good", "SELECT 7 AS n"},
  };
  Entry entry({{"t.yml", File(bad)}}, "dsn: '" + server.dsn("postgres", "guest") +
                                          "', file: t.yml, interval: 1m, max_age: 1m");
  REQUIRE(entry.Run());
  CHECK(entry.Values() == "good 7\n");
  for (const auto& [name, sql] : bad) {
    INFO(name);
    CHECK(entry[Of("vigia_kpi_query_up", name)] == (name == "good" ? 1 : 0));
    CHECK(entry[Of("vigia_kpi_query_errors_total", name)] == (name == "good" ? 0 : 1));
  }
  // Nothing is left of them in the server, whichever way they went wrong.
  server.AwaitSql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'guest'", "1\n");
}

TEST_CASE("errors of queries carry what PostgreSQL says", "[kpi]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  const auto error_of = [&](const std::string& sql, const std::string& options = "") {
    // One good answer first, so that the view has something to withdraw and to explain.
    server.Sql("DROP TABLE IF EXISTS s; CREATE TABLE s (done bool)");
    Entry entry({{"t.yml", File({{"q", sql}})}},
                Dsn(server) + "file: t.yml, interval: 1m, max_age: 1m" + options);
    REQUIRE(entry.faults() == "");
    REQUIRE(entry.Run());
    CHECK(entry.Values() == "q 1\n");
    server.Sql("INSERT INTO s VALUES (true)");
    entry.clock.Advance(61s);
    REQUIRE(entry.Run());
    const auto& message = entry.withdrawn().at("kpi.t.q");
    return message.substr(message.find("query q: "));
  };
  const std::string flag = "EXISTS (SELECT FROM public.s)";

  CHECK(error_of("SELECT CASE WHEN " + flag + " THEN 'ten' ELSE '1' END AS n") ==
        "query q: column 'n': 'ten' is not a number");
  CHECK(error_of("SELECT 1 AS n FROM generate_series(1, CASE WHEN " + flag +
                 " THEN 2 ELSE 1 END)") == "query q: two rows give the same series q");
  CHECK(error_of(
            "SELECT 1 AS n FROM generate_series(1, CASE WHEN " + flag + " THEN 1000000 ELSE 1 END)",
            ", max_rows: 1") == "query q: returns more than 1 rows");
  CHECK(error_of("SELECT 1 / (NOT " + flag + ")::int AS n") == "query q: division by zero");
  CHECK(error_of("SELECT 1 AS n FROM pg_sleep(CASE WHEN " + flag + " THEN 3600 ELSE 0 END)",
                 ", timeout: 200ms") == "query q: canceling statement due to statement timeout");
}

TEST_CASE("a locked table costs a KPI query its lock timeout", "[kpi]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  server.Sql("CREATE TABLE locked (n int)");
  const auto holder = server.Session("BEGIN; LOCK TABLE locked; SELECT pg_sleep(600)");
  server.AwaitSql(
      "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = "
      "'locked'::regclass",
      "1\n");
  Entry entry(
      {{"t.yml", File({{"held", "SELECT count(*) AS n FROM locked"}, {"good", "SELECT 7 AS n"}})}},
      Dsn(server) + "file: t.yml, lock_timeout: 100ms");
  REQUIRE(entry.Run());
  CHECK(entry.Values() == "good 7\n");
  CHECK(entry[Of("vigia_kpi_query_up", "held")] == 0);
  CHECK(*entry[Of("vigia_kpi_query_duration_seconds", "held")] == 0);  // by the test's clock
}

TEST_CASE("a PostgreSQL that is gone leaves the last values and is asked again", "[kpi]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  Entry entry({{"t.yml", File({{"a", "SELECT 1 AS n"}, {"b", "SELECT 2 AS n"}})}},
              Dsn(server) + "file: t.yml, interval: 1m, timeout: 2s");
  const std::string sessions =
      "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vigia'";
  REQUIRE(entry.Run());
  server.AwaitSql(sessions, "1\n");

  SECTION("restarted between two runs") {
    server.Stop();
    server.Start();
    entry.clock.Advance(60s);
    REQUIRE(entry.Run());
    CHECK(entry[Of("vigia_kpi_query_errors_total", "a")] == 0);
  }
  SECTION("stopped") {
    server.Stop();
    entry.clock.Advance(60s);
    const auto status = entry.Run();
    REQUIRE_FALSE(status);
    CHECK(status.error().code() == ErrorCode::kUnavailable);
    CHECK(entry.Values() == "a 1\nb 2\n");
    CHECK(entry[Of("vigia_kpi_query_up", "a")] == 0);
    CHECK(entry[Of("vigia_kpi_query_up", "b")] == 0);
    CHECK(entry[Of("vigia_kpi_age_seconds", "a")] == 60);
    server.Start();
    // No query has lost its turn: the next tick asks them all.
    entry.clock.Advance(15s);
    REQUIRE(entry.Run());
  }
  SECTION("hung") {
    server.Freeze();
    entry.clock.Advance(60s);
    REQUIRE_FALSE(entry.Run());
    CHECK(entry.Values() == "a 1\nb 2\n");
    CHECK(entry[Of("vigia_kpi_query_up", "a")] == 0);
    server.Thaw();
    server.AwaitSql("SELECT 1", "1\n");
    entry.clock.Advance(60s);
    REQUIRE(entry.Run());
  }
  CHECK(entry.Values() == "a 1\nb 2\n");
  CHECK(entry[Of("vigia_kpi_query_up", "a")] == 1);
  CHECK(entry[Of("vigia_kpi_query_up", "b")] == 1);
  CHECK(entry[Of("vigia_kpi_age_seconds", "a")] == 0);
  server.AwaitSql(sessions, "1\n");
}

TEST_CASE("connections and descriptors stay flat over 200 bad KPI rounds", "[kpi]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  // Both cost the connection.
  Entry entry({{"t.yml", File({{"many", "SELECT generate_series(1, 100000) AS n"},
                               {"left_open", "BEGIN"},
                               {"good", "SELECT 7 AS n"}})}},
              Dsn(server) + "file: t.yml, interval: 1m, max_rows: 1");
  const auto open_files = [] {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator("/proc/self/fd")) {
      ++count;
    }
    return count;
  };
  REQUIRE(entry.Run());
  const auto files = open_files();
  for (int round = 0; round < 200; ++round) {
    entry.clock.Advance(60s);
    REQUIRE(entry.Run());
    REQUIRE(entry.Values() == "good 7\n");
    REQUIRE(open_files() == files);
  }
  CHECK(entry[Of("vigia_kpi_query_errors_total", "many")] == 201);
  server.AwaitSql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vigia'", "1\n");
}

TEST_CASE("KPI sessions are read-only and see the search path of the role", "[kpi]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  server.Sql(
      "CREATE ROLE app LOGIN; CREATE SCHEMA shop AUTHORIZATION app;"
      "ALTER ROLE app SET search_path = shop; ALTER ROLE app SET DateStyle = 'SQL, DMY';"
      "CREATE TABLE shop.t (n int, at timestamptz); ALTER TABLE shop.t OWNER TO app;"
      "INSERT INTO shop.t VALUES (3, '2026-11-23 20:15:00+00')");
  std::string file =
      File({{"a", "SELECT n, at FROM t"}, {"b", "INSERT INTO t VALUES (4) RETURNING n"}});
  file.insert(file.find("    values"), "    timestamp_value: at\n");
  Entry entry({{"t.yml", file}}, "dsn: '" + server.dsn("postgres", "app") + "', file: t.yml");
  REQUIRE(entry.Run());
  CHECK(entry.Values() == "a 3\n");
  CHECK(entry.TimeOf("a") == 1'795'464'900'000);
  CHECK(server.Sql("SELECT count(*) FROM shop.t") == "1\n");
}
