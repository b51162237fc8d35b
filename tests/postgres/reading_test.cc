// What a healthy server gives.

#include <catch2/catch.hpp>
#include <cmath>

#include "tests/postgres/reader.h"
#include "tests/support/postgres_server.h"

using namespace vigia;
using namespace vigia::test;

namespace {

std::string Quoted(const std::string& dsn) { return "dsn: '" + dsn + "'"; }

}  // namespace

TEST_CASE("a PostgreSQL server is read with its databases and tables", "[postgres]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server({"max_connections = 33", "work_mem = 3MB", "statement_timeout = 77s"});
  server.Sql("CREATE DATABASE shop");
  server.Sql("CREATE DATABASE \"the 2nd\"");
  server.Sql(
      "CREATE TABLE item (id int PRIMARY KEY, name text);"
      "INSERT INTO item SELECT i, 'x' FROM generate_series(1, 500) i;"
      "DELETE FROM item WHERE id <= 100; ANALYZE item",
      "shop");
  server.Sql("CREATE TABLE item (id int)", "the 2nd");
  server.AwaitSql("SELECT n_tup_del FROM pg_stat_user_tables", "100\n", "shop");
  Reader reader(Quoted(server.dsn()));

  REQUIRE(reader.Read());
  REQUIRE(reader.duplicates() == 0);

  {
    INFO("the server");
    REQUIRE(reader["pg_up"] == 1);
    REQUIRE(reader.Count("pg_static{short_version=\"") == 1);
    REQUIRE(reader["pg_settings_max_connections"] == 33);
    REQUIRE(reader["pg_settings_work_mem_bytes"] == 3 * 1024 * 1024);
    REQUIRE(reader["vigia_postgres_connections_max"] == 30);
    REQUIRE(reader["pg_replication_is_replica"] == 0);
    REQUIRE(*reader["pg_wal_segments"] >= 1);
  }
  {
    INFO("settings are the server's, not those of our session");
    REQUIRE(reader["pg_settings_statement_timeout_seconds"] == 77);
    REQUIRE(reader["pg_settings_default_transaction_read_only"] == 0);
    REQUIRE(reader["pg_settings_transaction_read_only"] == 0);
    REQUIRE(reader["pg_settings_jit"] == 1);
  }
  {
    INFO("databases");
    REQUIRE(reader["pg_database_connection_limit{datname=\"shop\"}"] == -1);
    REQUIRE(*reader["pg_database_size_bytes{datname=\"shop\"}"] > 1'000'000);
    REQUIRE(reader["vigia_postgres_database_up{datname=\"the 2nd\"}"] == 1);
    REQUIRE(reader["pg_locks_count{datname=\"shop\",mode=\"sireadlock\"}"] == 0);
    REQUIRE(reader["pg_stat_activity_count{datname=\"shop\",state=\"disabled\"}"] == 0);
    REQUIRE(reader.Count("vigia_postgres_database_up") == 3);
  }
  {
    INFO("tables");
    const std::string item = "{datname=\"shop\",relname=\"item\",schemaname=\"public\"}";
    REQUIRE(reader["pg_stat_user_tables_n_tup_ins" + item] == 500);
    REQUIRE(reader["pg_stat_user_tables_n_tup_del" + item] == 100);
    REQUIRE(reader["pg_stat_user_tables_n_live_tup" + item] == 400);
    REQUIRE(reader["pg_stat_user_tables_last_vacuum" + item] == 0);
    REQUIRE(*reader["pg_stat_user_tables_last_analyze" + item] > 1.7e9);
    REQUIRE(*reader["pg_stat_user_tables_table_size_bytes" + item] >= 8192);
    REQUIRE(*reader["pg_stat_user_tables_index_size_bytes" + item] >= 8192);
    REQUIRE(reader.types().at("pg_stat_user_tables_n_tup_ins") == MetricType::kCounter);
    REQUIRE(reader.types().at("pg_stat_user_tables_n_live_tup") == MetricType::kGauge);
    REQUIRE(reader["pg_stat_user_tables_seq_scan"
                   "{datname=\"the 2nd\",relname=\"item\",schemaname=\"public\"}"] == 0);
    // No index, so nothing is known of index scans: not 0.
    REQUIRE_FALSE(
        reader["pg_stat_user_tables_idx_scan"
               "{datname=\"the 2nd\",relname=\"item\",schemaname=\"public\"}"]);
  }
  {
    INFO("every subject could be read");
    for (const auto& [series, value] : reader.series()) {
      if (!series.starts_with("pg_scrape_collector_success")) continue;
      CAPTURE(series);
      REQUIRE(value == 1);
    }
    REQUIRE(reader.Count("vigia_postgres_skipped_info") == 0);
  }
  {
    INFO("every family is described");
    for (const auto& [name, type] : reader.types()) {
      if (name.starts_with("pg_settings_")) continue;
      CAPTURE(name);
      std::size_t found = 0;
      for (const auto& instance : reader.instances()) {
        for (const auto& metric : instance.impl->Metrics()) {
          found += metric.name == name && metric.type == type;
        }
      }
      REQUIRE(found == 1);
    }
  }
  {
    INFO("one connection per database, kept");
    const std::string sessions =
        "SELECT string_agg(datname || count, ' ' ORDER BY datname) FROM (SELECT datname, count(*)"
        " FROM pg_stat_activity WHERE application_name = 'vigia' GROUP BY 1) s";
    const std::string pids =
        "SELECT string_agg(pid::text, ' ' ORDER BY pid) FROM pg_stat_activity"
        " WHERE application_name = 'vigia'";
    const auto before = server.Sql(pids);
    for (int i = 0; i < 5; ++i) REQUIRE(reader.Read());
    REQUIRE(server.Sql(sessions) == "postgres1 shop1 the 2nd1\n");
    REQUIRE(server.Sql(pids) == before);
  }
}

TEST_CASE("the ratios of PostgreSQL are of the last interval", "[postgres]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  server.Sql("CREATE DATABASE shop");
  Reader reader(Quoted(server.dsn()) + ", databases: {exclude: shop}");
  REQUIRE(reader.Read());
  REQUIRE(reader.Count("vigia_postgres_cache_hit_ratio") == 0);
  const std::string counters =
      "SELECT blks_hit, blks_read, xact_commit, xact_rollback FROM pg_stat_database"
      " WHERE datname = 'shop'";
  REQUIRE(reader.Read());
  REQUIRE_FALSE(reader["vigia_postgres_cache_hit_ratio{datname=\"shop\"}"]);

  const auto value = [&](const std::string& name) {
    return *reader["pg_stat_database_" + name + "{datid=\"" +
                   server.Sql("SELECT oid FROM pg_database WHERE datname = 'shop'").substr(0, 5) +
                   "\",datname=\"shop\"}"];
  };
  const double hits = value("blks_hit"), reads = value("blks_read");
  const double commits = value("xact_commit"), rollbacks = value("xact_rollback");
  server.Sql("SELECT count(*) FROM pg_class; BEGIN; SELECT 1; ROLLBACK", "shop");
  server.AwaitSql("SELECT xact_rollback > " + std::to_string(static_cast<int>(rollbacks)) +
                      " FROM pg_stat_database WHERE datname = 'shop'",
                  "t\n");
  REQUIRE(reader.Read());
  const double hit = value("blks_hit") - hits, read = value("blks_read") - reads;
  const double commit = value("xact_commit") - commits;
  const double rollback = value("xact_rollback") - rollbacks;
  REQUIRE(rollback >= 1);
  REQUIRE(*reader["vigia_postgres_cache_hit_ratio{datname=\"shop\"}"] == hit / (hit + read));
  REQUIRE(*reader["vigia_postgres_commit_ratio{datname=\"shop\"}"] == commit / (commit + rollback));
}

TEST_CASE("tables of PostgreSQL beyond the limit are added up", "[postgres]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  for (int i = 1; i <= 6; ++i) {
    const std::string table = "t" + std::to_string(i);
    server.Sql("CREATE TABLE " + table + " (id int); INSERT INTO " + table +
               " SELECT generate_series(1, " + std::to_string(100 * i) + ")");
  }
  server.AwaitSql("SELECT sum(n_tup_ins) FROM pg_stat_user_tables", "2100\n");
  Reader reader(Quoted(server.dsn()) + ", tables: {max: 2}");
  const auto inserted = [&](const std::string& table, const std::string& schema = "public") {
    return reader["pg_stat_user_tables_n_tup_ins{datname=\"postgres\",relname=\"" + table +
                  "\",schemaname=\"" + schema + "\"}"];
  };

  REQUIRE(reader.Read());
  REQUIRE(inserted("t6") == 600);
  REQUIRE(inserted("t5") == 500);
  REQUIRE_FALSE(inserted("t4"));
  REQUIRE(inserted("__other__", "__other__") == 1000);
  REQUIRE(reader.Count("pg_stat_user_tables_n_tup_ins{") == 3);
  // A time has no sum.
  REQUIRE(reader.Count("pg_stat_user_tables_last_vacuum{") == 2);

  // Who is listed stays listed, however busy another becomes; a place that falls free is filled.
  server.Sql("INSERT INTO t1 SELECT generate_series(1, 5000)");
  server.AwaitSql("SELECT sum(n_tup_ins) FROM pg_stat_user_tables", "7100\n");
  REQUIRE(reader.Read());
  REQUIRE_FALSE(inserted("t1"));
  REQUIRE(inserted("__other__", "__other__") == 6000);
  server.Sql("DROP TABLE t6");
  REQUIRE(reader.Read());
  REQUIRE(inserted("t1") == 5100);
  REQUIRE(inserted("t5") == 500);
  REQUIRE(inserted("__other__", "__other__") == 900);
}

TEST_CASE("names in PostgreSQL may be anything", "[postgres]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  server.Sql("CREATE DATABASE \"odd\"\"db\"");
  server.Sql("CREATE DATABASE bytes ENCODING 'SQL_ASCII' TEMPLATE template0");
  server.Sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
  server.Sql("CREATE TABLE \"a \"\"b\\c\nd\" (id int)", "odd\"db");
  server.Sql("CREATE TABLE \"\xff\xfe\" (id int)", "bytes");
  server.Sql("CREATE TABLE U&\"caf\\00E9\" (id int)", "latin");
  Reader reader(Quoted(server.dsn()));

  REQUIRE(reader.Read());
  const auto exists = [&](const std::string& database, const std::string& table) {
    return reader["pg_stat_user_tables_n_tup_ins{datname=\"" + database + "\",relname=\"" + table +
                  "\",schemaname=\"public\"}"]
        .has_value();
  };
  REQUIRE(exists("odd\\\"db", "a \\\"b\\\\c\\nd"));
  REQUIRE(exists("bytes", "\xEF\xBF\xBD\xEF\xBF\xBD"));
  REQUIRE(exists("latin", "caf\xc3\xa9"));
}

TEST_CASE("statements of PostgreSQL are listed by time and their text on request", "[postgres]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server({"shared_preload_libraries = 'pg_stat_statements'"});
  Reader reader(Quoted(server.dsn()) + ", statements: {max: 2, text: true, text_length: 30}");
  REQUIRE(reader.Read());
  // Not there yet, which is said once and does not fail the reading.
  REQUIRE(reader["pg_scrape_collector_success{collector=\"stat_statements\"}"] == 0);
  REQUIRE(reader["vigia_postgres_skipped_info{collector=\"stat_statements\",reason=\"the extension "
                 "pg_stat_statements is not in the database 'postgres'\"}"] == 1);

  server.Sql("CREATE SCHEMA \"my ext\"; CREATE EXTENSION pg_stat_statements SCHEMA \"my ext\"");
  server.Sql("SELECT pg_sleep(0.2) AS slow_one");
  server.Sql("SELECT pg_sleep(0.1), 'secret' AS slow_two");
  reader.clock.Advance(11min);
  REQUIRE(reader.Read());
  REQUIRE(reader["pg_scrape_collector_success{collector=\"stat_statements\"}"] == 1);
  REQUIRE(reader.Count("pg_stat_statements_calls{") == 2);
  REQUIRE(reader.Count("pg_stat_statements_calls_total{") == 2);
  REQUIRE(reader.Count("pg_stat_statements_query_id{query=\"SELECT pg_sleep($1) AS slow_on\"") ==
          1);
  for (const auto& [series, value] : reader.series()) {
    REQUIRE(series.find("secret") == series.npos);
  }
}

TEST_CASE("unused and missing indexes of PostgreSQL are hinted at", "[postgres]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server({"autovacuum = off"});
  server.Sql(
      "CREATE TABLE big (id int PRIMARY KEY, k int);"
      "INSERT INTO big SELECT i, i FROM generate_series(1, 20000) i;"
      "CREATE INDEX big_k ON big (k); ANALYZE big");
  server.Sql(
      "SET enable_indexscan = off; SET enable_bitmapscan = off;"
      "SELECT * FROM big WHERE k = 7");
  server.AwaitSql("SELECT seq_scan > 1 FROM pg_stat_user_tables", "t\n");
  Reader reader(Quoted(server.dsn()) + ", tables: {indexes: 10}");

  REQUIRE(reader.Read());
  REQUIRE(*reader["vigia_postgres_unused_index_bytes{datname=\"postgres\",indexrelname=\"big_k\","
                  "relname=\"big\",schemaname=\"public\"}"] > 100'000);
  // The primary key is never scanned either, but it is there for another reason.
  REQUIRE(reader.Count("vigia_postgres_unused_index_bytes") == 1);
  REQUIRE(*reader["vigia_postgres_missing_index_rows_per_scan{datname=\"postgres\",relname=\"big\","
                  "schemaname=\"public\"}"] >= 10'000);
  REQUIRE(reader["pg_stat_user_indexes_idx_scan{datname=\"postgres\",indexrelname=\"big_pkey\","
                 "relname=\"big\",schemaname=\"public\"}"] == 0);
}

TEST_CASE("replication slots of PostgreSQL carry the labels of both generations", "[postgres]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server({"wal_level = logical"});
  server.Sql("SELECT pg_create_physical_replication_slot('standby', true)");
  server.Sql("SELECT pg_create_logical_replication_slot('feed', 'pgoutput')");
  Reader reader(Quoted(server.dsn()));

  REQUIRE(reader.Read());
  REQUIRE(reader["pg_replication_slots_active{slot_name=\"standby\"}"] == 0);
  REQUIRE(reader["pg_replication_slots_active{database=\"postgres\",slot_name=\"feed\"}"] == 0);
  REQUIRE(*reader["pg_replication_slots_pg_wal_lsn_diff{slot_name=\"standby\"}"] >= 0);
  REQUIRE(reader["pg_replication_slot_slot_is_active{slot_name=\"feed\",slot_type=\"logical\"}"] ==
          0);
  REQUIRE(reader["pg_replication_slot_wal_status{slot_name=\"feed\",slot_type=\"logical\","
                 "wal_status=\"reserved\"}"] == 1);
}

TEST_CASE("options of the postgres kind are checked and never repeat a secret", "[postgres]") {
  const auto faults = [](const std::string& options) -> std::string {
    try {
      Reader reader(options);
    } catch (const std::exception& e) {
      return e.what();
    }
    return "";
  };
  REQUIRE(faults("dsn: 'host=/tmp password=a7b9 x y'").find("a7b9") == std::string::npos);
  REQUIRE(faults("dsn: 'host=/tmp passwrod=a7b9'") ==
          "test:1:13: dsn: is not a connection string: 'host=... dbname=... "
          "user=...' or postgresql://user@host/dbname\n");
  REQUIRE(faults("tables: {max: -1}").find("max") != std::string::npos);
  REQUIRE(faults("tables: {maxx: 1}").find("maxx") != std::string::npos);
  REQUIRE(faults("").empty());
  REQUIRE(faults("dsn: 'postgresql://u:p@h/d?sslmode=require', password_file: /nowhere").empty());
}
