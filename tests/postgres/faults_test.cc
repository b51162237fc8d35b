// What goes wrong with a server, and what it may cost.

#include <signal.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/postgres/reader.h"
#include "tests/support/postgres_server.h"
#include "tests/support/temp_dir.h"

using namespace vigia;
using namespace vigia::test;

namespace {

std::string Quoted(const std::string& dsn) { return "dsn: '" + dsn + "'"; }

std::size_t OpenFiles() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

std::size_t Threads() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator("/proc/self/task")) {
    ++count;
  }
  return count;
}

constexpr const char* kOurSessions =
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vigia'";

}  // namespace

TEST_CASE("a hung PostgreSQL costs each reading its deadline and nothing more", "[postgres]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  server.Sql("CREATE DATABASE shop");
  Reader reader(Quoted(server.dsn()), 200ms);
  // The first reading may need longer on a busy machine.
  for (int i = 0; i < 100 && !reader.Read(); ++i) reader.clock.Advance(5s);
  REQUIRE(reader.Read());

  server.Freeze();
  // The first one loses the connections at the deadline.
  auto status = reader.Read();
  REQUIRE(status.error().code() == ErrorCode::kTimeout);
  REQUIRE(reader["pg_up"] == 0);
  REQUIRE(reader.series().size() == 1);
  const auto files = OpenFiles();
  const auto threads = Threads();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 50; ++i) {
    reader.clock.Advance(5s);  // past any backoff
    status = reader.Read();
    REQUIRE(status.error().code() == ErrorCode::kTimeout);
    REQUIRE(reader["pg_up"] == 0);
    REQUIRE(OpenFiles() <= files);
    REQUIRE(Threads() <= threads);
  }
  // Two collectors, of which the second is refused by the backoff that the first has begun.
  REQUIRE(std::chrono::steady_clock::now() - begin < 60s);

  server.Thaw();
  server.AwaitSql("SELECT 1", "1\n");
  for (int i = 0; i < 100 && !(status = reader.Read()); ++i) reader.clock.Advance(5s);
  REQUIRE(status);
  REQUIRE(reader["pg_up"] == 1);
  REQUIRE(OpenFiles() <= files + 2);
  server.AwaitSql(kOurSessions, "2\n");
}

TEST_CASE("the collectors of a PostgreSQL take turns, also on two threads", "[postgres]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  Reader reader(Quoted(server.dsn()));
  REQUIRE(reader.Read());
  const auto collect = [&](std::size_t i, Duration timeout) {
    auto& instance = reader.instances()[i];
    Batch batch(Batch::Options{instance.constant_labels, instance.max_series});
    return instance.impl->Collect(Deadline::After(SystemClock(), timeout), batch);
  };

  // Each ends at its own deadline, and the connections are ended while the other one waits.
  server.Freeze();
  std::jthread other([&] {
    for (int i = 0; i < 20; ++i) (void)collect(0, 100ms);
  });
  for (int i = 0; i < 60; ++i) {
    const auto begin = SystemClock().Now();
    const auto status = collect(1, 30ms);
    REQUIRE(!status);
    REQUIRE(SystemClock().Now() - begin < 5s);
  }
  other.join();

  server.Thaw();
  server.AwaitSql("SELECT 1", "1\n");
  Status status;
  for (int i = 0; i < 100 && !(status = collect(1, 5s)); ++i) std::this_thread::sleep_for(100ms);
  REQUIRE(status);
}

TEST_CASE("a restarted PostgreSQL is read again at the next reading", "[postgres]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  server.Sql("CREATE DATABASE shop");
  server.Sql("CREATE DATABASE depot");
  Reader reader(Quoted(server.dsn()));
  REQUIRE(reader.Read());
  const auto files = OpenFiles();
  server.Stop();
  server.Start();

  // Nothing was read while it was down, so the lost connections are found only now.
  REQUIRE(reader.Read());
  REQUIRE(reader["pg_up"] == 1);
  REQUIRE(reader["vigia_postgres_database_up{datname=\"shop\"}"] == 1);
  REQUIRE(OpenFiles() == files);
  server.AwaitSql(kOurSessions, "3\n");
}

TEST_CASE("a stopped PostgreSQL is unavailable and is asked less often", "[postgres]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  Reader reader(Quoted(server.dsn()));
  REQUIRE(reader.Read());
  server.Stop();

  auto status = reader.Read(0);
  REQUIRE(status.error().code() == ErrorCode::kUnavailable);
  REQUIRE(status.error().message().starts_with("cannot connect: "));
  REQUIRE(reader["pg_up"] == 0);
  status = reader.Read(0);
  REQUIRE(status.error().message().starts_with("waiting before the next attempt: "));

  server.Start();
  reader.clock.Advance(5s);
  REQUIRE(reader.Read());
  REQUIRE(reader["pg_up"] == 1);
}

TEST_CASE("a locked table of PostgreSQL delays nobody", "[postgres]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  server.Sql("CREATE TABLE locked (id int PRIMARY KEY); CREATE TABLE open (id int PRIMARY KEY)");
  const auto holder = server.Session("BEGIN; LOCK TABLE locked; SELECT pg_sleep(600)");
  const std::string held =
      "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = "
      "'locked'::regclass";
  server.AwaitSql(held, "1\n");
  const auto first = server.Session("SELECT * FROM locked");
  server.AwaitSql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", "1\n");
  const auto second = server.Session("BEGIN; LOCK TABLE locked");
  server.AwaitSql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", "2\n");
  Reader reader(Quoted(server.dsn()));

  REQUIRE(reader.Read());
  const auto size = [&](const std::string& table) {
    return reader["pg_stat_user_tables_table_size_bytes{datname=\"postgres\",relname=\"" + table +
                  "\",schemaname=\"public\"}"];
  };
  REQUIRE(size("open") == 0);
  REQUIRE_FALSE(size("locked"));
  REQUIRE(reader["pg_stat_user_tables_n_live_tup{datname=\"postgres\",relname=\"locked\","
                 "schemaname=\"public\"}"] == 0);

  // The chain: the second waits for the first and the holder, the first for the holder.
  REQUIRE(reader["vigia_postgres_blocked_sessions"] == 2);
  REQUIRE(reader["vigia_postgres_blocking_chain_length"] == 3);
  REQUIRE(*reader["vigia_postgres_blocked_seconds"] > 0);
  REQUIRE(reader.Count("vigia_postgres_blocker_victims{") == 1);
  const auto pid = server.Sql(
      "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)'"
      " AND pid <> pg_backend_pid()");
  REQUIRE(reader["vigia_postgres_blocker_victims{application_name=\"psql\",datname=\"postgres\","
                 "pid=\"" +
                 pid.substr(0, pid.size() - 1) + "\",state=\"active\",usename=\"postgres\"}"] == 2);
}

TEST_CASE("a role without rights in PostgreSQL reads what it may", "[postgres]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  server.Sql("CREATE ROLE plain LOGIN; CREATE TABLE t (id int)");
  server.Sql("CREATE DATABASE closed");
  server.Sql("CREATE DATABASE other");
  server.Sql("REVOKE CONNECT ON DATABASE closed FROM PUBLIC");
  Reader reader(Quoted(server.dsn("postgres", "plain")));

  for (int round = 0; round < 3; ++round) {
    const auto status = reader.Read();
    INFO((status ? "" : status.error().message()));
    REQUIRE(status);
    REQUIRE(reader["pg_up"] == 1);
    REQUIRE(reader["pg_scrape_collector_success{collector=\"wal\"}"] == 0);
    REQUIRE(reader["vigia_postgres_skipped_info{collector=\"wal\",reason=\"permission denied for "
                   "function pg_ls_waldir\"}"] == 1);
    REQUIRE(reader["pg_scrape_collector_success{collector=\"database\"}"] == 1);
    REQUIRE(reader["vigia_postgres_database_up{datname=\"closed\"}"] == 0);
    REQUIRE(reader.Count("vigia_postgres_skipped_info{collector=\"tables\",datname=\"closed\"") ==
            1);
    REQUIRE(reader["vigia_postgres_database_up{datname=\"other\"}"] == 1);
    REQUIRE(reader.Count("pg_stat_user_tables_seq_scan{datname=\"postgres\"") == 1);
    REQUIRE_FALSE(reader["pg_database_size_bytes{datname=\"closed\"}"]);
    REQUIRE(reader["pg_database_size_bytes{datname=\"other\"}"]);
  }

  server.Sql("GRANT pg_monitor TO plain; GRANT CONNECT ON DATABASE closed TO plain");
  reader.clock.Advance(11min);
  REQUIRE(reader.Read());
  REQUIRE(reader["pg_scrape_collector_success{collector=\"wal\"}"] == 1);
  REQUIRE(reader["vigia_postgres_database_up{datname=\"closed\"}"] == 1);
  REQUIRE(reader.Count("vigia_postgres_skipped_info") == 0);
}

TEST_CASE("a subject of PostgreSQL that fails midway is withdrawn as a whole, as unknown",
          "[postgres]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  server.Sql("CREATE ROLE zz LOGIN CONNECTION LIMIT 7");
  Reader reader(Quoted(server.dsn()));
  REQUIRE(reader.Read());
  const std::string limit = "pg_roles_connection_limit{rolname=\"zz\"}";
  REQUIRE(reader[limit] == 7);
  const auto roles = reader.Count("pg_roles_connection_limit");
  REQUIRE(roles > 1);

  // The last of the rows is no number any more.
  const std::string allow = "SET allow_system_table_mods = on; ";
  server.Sql(allow +
             "ALTER VIEW pg_catalog.pg_roles RENAME TO pg_roles_real; CREATE VIEW "
             "pg_catalog.pg_roles AS SELECT rolname, CASE WHEN rolname = 'zz' THEN 'many' ELSE "
             "rolconnlimit::text END AS rolconnlimit FROM pg_authid ORDER BY rolname; GRANT SELECT "
             "ON pg_catalog.pg_roles TO PUBLIC");
  for (int round = 0; round < 2; ++round) {
    REQUIRE(reader.Read());
    REQUIRE(reader.Count("pg_roles_connection_limit") == 0);
    REQUIRE(reader["pg_scrape_collector_success{collector=\"roles\"}"] == 0);
    REQUIRE(reader["pg_scrape_collector_success{collector=\"locks\"}"] == 1);
    const auto& withheld = reader.withheld();
    const auto covers = [&](const Withheld& one) {
      return one.Covers(Labels{{"__name__", "pg_roles_connection_limit"}, {"rolname", "zz"}});
    };
    REQUIRE(std::any_of(withheld.begin(), withheld.end(), covers));
  }

  server.Sql(allow +
             "DROP VIEW pg_catalog.pg_roles; ALTER VIEW pg_catalog.pg_roles_real RENAME TO "
             "pg_roles");
  reader.clock.Advance(11min);
  REQUIRE(reader.Read());
  REQUIRE(reader[limit] == 7);
  REQUIRE(reader.Count("pg_roles_connection_limit") == roles);
  REQUIRE(reader.withheld().empty());
}

TEST_CASE("a database of PostgreSQL that is dropped meanwhile is gone and no failure",
          "[postgres]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  server.Sql("CREATE DATABASE shop");
  server.Sql("CREATE TABLE t (id int)", "shop");
  Reader reader(Quoted(server.dsn()));
  REQUIRE(reader.Read());
  REQUIRE(reader.Count("pg_stat_user_tables_seq_scan{datname=\"shop\"") == 1);
  const auto files = OpenFiles();

  server.Sql("DROP DATABASE shop WITH (FORCE)");
  REQUIRE(reader.Read());
  REQUIRE(reader.Count("pg_stat_user_tables_seq_scan{datname=\"shop\"") == 0);
  REQUIRE_FALSE(reader["vigia_postgres_database_up{datname=\"shop\"}"]);
  REQUIRE(OpenFiles() < files);
}

TEST_CASE("a PostgreSQL out of connections is unavailable until there are some", "[postgres]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server({"max_connections = 6", "superuser_reserved_connections = 3"});
  server.Sql("CREATE ROLE plain LOGIN; CREATE ROLE taker LOGIN; GRANT pg_monitor TO plain");
  server.Sql("CREATE DATABASE shop");
  std::vector<std::unique_ptr<Process>> sessions;
  for (int i = 0; i < 3; ++i) {
    sessions.push_back(server.Session("SET ROLE taker; SELECT pg_sleep(600)"));
  }
  server.AwaitSql(
      "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%sleep(600)' AND pid <>"
      " pg_backend_pid()",
      "3\n");
  Reader reader(Quoted(server.dsn("postgres", "plain")));

  const auto status = reader.Read();
  REQUIRE(status.error().code() == ErrorCode::kUnavailable);
  REQUIRE(reader["pg_up"] == 0);

  sessions.clear();
  server.Sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE "
      "'%sleep(600)' AND pid <> pg_backend_pid()");
  server.AwaitSql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'",
                  "1\n");
  reader.clock.Advance(5s);
  REQUIRE(reader.Read());
  REQUIRE(reader["pg_up"] == 1);
}

TEST_CASE("a statement of PostgreSQL that takes too long fails the reading only", "[postgres]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  Reader reader(Quoted(server.dsn()) + ", statements: {max: 1}");
  REQUIRE(reader.Read());
  const auto holder = server.Session("BEGIN; LOCK TABLE pg_extension; SELECT pg_sleep(600)");
  server.AwaitSql("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock'", "1\n");
  reader.clock.Advance(11min);

  const auto status = reader.Read(0);
  REQUIRE(status.error().code() == ErrorCode::kTimeout);
  REQUIRE(status.error().message() == "stat_statements: canceling statement due to lock timeout");
  // The server could be reached.
  REQUIRE(reader["pg_up"] == 1);
}

TEST_CASE("the password file of PostgreSQL is read at each connect", "[postgres]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server({}, {"local all secretive scram-sha-256"});
  server.Sql("CREATE ROLE secretive LOGIN PASSWORD 'right'; GRANT pg_monitor TO secretive");
  TempDir folder;
  folder.Write("password", "wrong\n");
  Reader reader(Quoted(server.dsn("postgres", "secretive")) + ", password_file: '" +
                (folder.path() / "password").string() + "'");

  const auto status = reader.Read();
  REQUIRE(status.error().code() == ErrorCode::kUnavailable);
  REQUIRE(status.error().message() ==
          "cannot connect: password authentication failed for user \"secretive\"");
  REQUIRE(reader["pg_up"] == 0);

  folder.Write("password", "right\n");
  reader.clock.Advance(5s);
  REQUIRE(reader.Read());
}
