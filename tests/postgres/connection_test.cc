// Statements that are asked together.

#include "collectors/postgres/connection.h"

#include <catch2/catch.hpp>

#include "tests/support/postgres_server.h"

using namespace vigia;
using namespace vigia::collectors::postgres;
using namespace vigia::test;

namespace {

constexpr const char* kFails = "SELECT 1 / (count(*) - count(*)) FROM pg_database";

Deadline Soon(Milliseconds time = 5s) { return Deadline::After(SystemClock(), time); }

// The only value of the only row, or the error.
std::string Value(Connection& connection, const std::string& name, const std::string& sql) {
  const auto rows = connection.Query(name, sql, Soon());
  if (!rows) return rows.error().message();
  std::string value;
  REQUIRE(rows->ForEach([&](Row row) {
    value = row[0].text;
    return Ok();
  }));
  return value;
}

struct Session {
  PostgresServer server;
  Watchdog watchdog;
  std::unique_ptr<Connection> connection;

  Session() {
    ConnectOptions options;
    options.dsn = server.dsn();
    auto opened = Connection::Open(options, "", watchdog, Soon());
    REQUIRE(opened);
    connection = std::move(*opened);
  }
};

}  // namespace

TEST_CASE("statements of PostgreSQL that are asked together answer as if asked alone",
          "[postgres]") {
  if (!PostgresServer::Installed()) return;
  Session session;
  Connection& connection = *session.connection;
  const std::string count =
      "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vigia'";
  const std::string sleeps = "SELECT 'slept' FROM pg_sleep(0.2)";
  const auto together = [&] {
    REQUIRE(connection.Ahead({"count", "sleeps", "fails", "last"}, Soon()));
    REQUIRE(Value(connection, "count", count) == "1");
    REQUIRE(Value(connection, "sleeps", sleeps) == "slept");
    const auto slept = connection.TakeTimeAhead();
    REQUIRE(Value(connection, "fails", kFails).find("division by zero") != std::string::npos);
    REQUIRE(Value(connection, "last", "SELECT 'behind it'") == "behind it");
    return slept;
  };
  // The session knows none of them yet: each is asked alone.
  REQUIRE(together() == 0s);
  // Now they are, but for the one behind the failure.
  for (int round = 0; round < 3; ++round) {
    const auto slept = together();
    REQUIRE(slept >= 200ms);
    REQUIRE(connection.TakeTimeAhead() < slept);
    REQUIRE(connection.alive());
  }
  // What was not fetched is not found later.
  REQUIRE(connection.Ahead({"count", "fails"}, Soon()));
  REQUIRE(connection.Ahead({}, Soon()));
  REQUIRE(Value(connection, "count", count) == "1");
  REQUIRE(connection.TakeTimeAhead() == 0s);
}

TEST_CASE("statements of PostgreSQL that are asked together end at the deadline", "[postgres]") {
  if (!PostgresServer::Installed()) return;
  Session session;
  Connection& connection = *session.connection;
  REQUIRE(Value(connection, "quick", "SELECT 1") == "1");
  REQUIRE(Value(connection, "sleeps", "SELECT 'slept' FROM pg_sleep(0.5)") == "slept");

  // No time at all: nothing is asked, and nothing lost.
  REQUIRE(connection.Ahead({"quick"}, Soon(0ms)).error().code() == ErrorCode::kTimeout);
  REQUIRE(connection.alive());

  const auto status = connection.Ahead({"quick", "sleeps"}, Soon(100ms));
  REQUIRE(!status);
  REQUIRE(status.error().code() == ErrorCode::kTimeout);
  REQUIRE(status.error().message() == "sleeps: no answer in time");
  REQUIRE(!connection.alive());
}

TEST_CASE("a session of PostgreSQL that is ended amid its answers is lost", "[postgres]") {
  if (!PostgresServer::Installed()) return;
  Session session;
  Connection& connection = *session.connection;
  REQUIRE(Value(connection, "quick", "SELECT 1") == "1");
  session.server.Sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'vigia'");
  session.server.AwaitSql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vigia'",
                          "0\n");

  const auto status = connection.Ahead({"quick"}, Soon());
  REQUIRE(!status);
  REQUIRE(status.error().code() == ErrorCode::kUnavailable);
  REQUIRE(!connection.alive());
}
