#include "alerting/state/database.h"

#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "tests/support/temp_dir.h"

using namespace vigia;
using namespace vigia::alerting::state;

namespace {

constexpr std::string_view kSteps[] = {"CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT)"};

std::unique_ptr<Database> Open(const test::TempDir& dir) {
  auto database = Database::Open({.data_dir = dir.path(), .busy_timeout = 50ms}, SystemClock());
  REQUIRE(database->Migrate("things", kSteps));
  return database;
}

Status Insert(Database& database, std::int64_t id, std::string_view name,
              Durability durability = Durability::kProcess) {
  return database.Write(
      [&](Session& session) {
        return session.Run("INSERT INTO thing VALUES (?, ?)", {id, name});
      },
      durability);
}

std::string Names(Database& database) {
  std::string names;
  const auto status = database.Read([&](Session& session) {
    return session.Each("SELECT name FROM thing ORDER BY id", {},
                        [&](const Row& row) { names += std::string(row.Text(0)) + " "; });
  });
  return status ? names : "error: " + status.error().message();
}

// Another program that holds the write lock of the file.
class Locker {
 public:
  explicit Locker(const std::filesystem::path& path) {
    sqlite3_open(path.c_str(), &handle_);
    REQUIRE(sqlite3_exec(handle_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK);
  }
  ~Locker() { sqlite3_close(handle_); }

 private:
  sqlite3* handle_ = nullptr;
};

}  // namespace

TEST_CASE("state file keeps what was written when it is opened again", "[state]") {
  const test::TempDir dir;
  {
    auto database = Open(dir);
    REQUIRE(Insert(*database, 1, "one"));
    REQUIRE(Insert(*database, 2, "two", Durability::kDisk));
    REQUIRE(database->path() == dir.path() / "vigia.db");
  }
  auto database = Open(dir);
  REQUIRE(Names(*database) == "one two ");
  REQUIRE(database->health().persistent);
  REQUIRE(database->health().problem == "");
  REQUIRE(database->health().bytes > 0);
}

TEST_CASE("state file keeps every commit of a process that is killed", "[state]") {
  const test::TempDir dir;
  const pid_t child = fork();
  if (child == 0) {
    auto database = Database::Open({.data_dir = dir.path()}, SystemClock());
    (void)database->Migrate("things", kSteps);
    for (std::int64_t id = 1; id <= 100; ++id) (void)Insert(*database, id, "x");
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  auto database = Open(dir);
  REQUIRE(Names(*database).size() == 200);
}

TEST_CASE("a failed transaction leaves nothing behind", "[state]") {
  const test::TempDir dir;
  auto database = Open(dir);
  const auto status = database->Write([](Session& session) -> Status {
    if (auto run = session.Run("INSERT INTO thing VALUES (1, 'one')"); !run) return run;
    return session.Run("INSERT INTO thing VALUES (1, 'again')");
  });
  REQUIRE(!status);
  REQUIRE(status.error().code() == ErrorCode::kInvalid);
  REQUIRE(status.error().message() == "UNIQUE constraint failed: thing.id");
  REQUIRE(Names(*database) == "");
  REQUIRE(database->health().writable);  // that was the caller's fault
}

TEST_CASE("steps of a schema run once each, and those of a newer version are refused", "[state]") {
  const test::TempDir dir;
  constexpr std::string_view kMore[] = {kSteps[0], "ALTER TABLE thing ADD COLUMN size INTEGER"};
  {
    auto database = Open(dir);
    REQUIRE(Insert(*database, 1, "one"));
  }
  {
    auto database = Open(dir);
    REQUIRE(database->Migrate("things", kMore));
    REQUIRE(database->Migrate("things", kMore));
    REQUIRE(Names(*database) == "one ");
  }
  auto database = Database::Open({.data_dir = dir.path()}, SystemClock());
  const auto status = database->Migrate("things", kSteps);
  REQUIRE(!status);
  REQUIRE(status.error().message() == "things: the state file is of a newer version");
}

TEST_CASE("a corrupt state file is set aside and a new one begun", "[state]") {
  const test::TempDir dir;
  ManualClock clock(1'700'000'000'000);
  const bool torn = GENERATE(true, false);
  if (torn) {
    {
      auto database = Open(dir);
      for (std::int64_t id = 0; id < 2000; ++id) REQUIRE(Insert(*database, id, "a longer name"));
    }
    std::filesystem::resize_file(dir.path() / "vigia.db", 9000);
  } else {
    dir.Write("vigia.db", "this is no database, and long enough that SQLite looks at it: " +
                              std::string(4096, 'x'));
  }
  auto database = Database::Open({.data_dir = dir.path()}, clock);
  REQUIRE(database->health().persistent);
  REQUIRE(database->health().corrupt_files == 1);
  REQUIRE(std::filesystem::exists(dir.path() / "vigia.db.corrupt-1700000000"));
  REQUIRE(database->Migrate("things", kSteps));
  REQUIRE(Insert(*database, 1, "new"));
  REQUIRE(Names(*database) == "new ");
}

TEST_CASE("a folder that cannot be used leaves a database in memory", "[state]") {
  const test::TempDir dir;
  dir.Write("file", "");
  auto database = Database::Open({.data_dir = dir.path() / "file" / "data"}, SystemClock());
  REQUIRE(!database->health().persistent);
  REQUIRE(database->health().problem.find("Not a directory") != std::string::npos);
  REQUIRE(database->Migrate("things", kSteps));
  REQUIRE(Insert(*database, 1, "one"));
  REQUIRE(Names(*database) == "one ");
}

TEST_CASE("a locked state file is an error that passes, and reading goes on", "[state]") {
  const test::TempDir dir;
  auto database = Open(dir);
  REQUIRE(Insert(*database, 1, "one"));
  {
    const Locker locker(database->path());
    const auto status = Insert(*database, 2, "two");
    REQUIRE(!status);
    REQUIRE(status.error().code() == ErrorCode::kUnavailable);
    REQUIRE(Names(*database) == "one ");
    REQUIRE(!database->health().writable);
    REQUIRE(database->health().problem == "database is locked");
    REQUIRE(database->health().failures == 1);
  }
  REQUIRE(Insert(*database, 2, "two"));
  REQUIRE(database->health().writable);
  REQUIRE(database->health().problem == "");
}

TEST_CASE("after a failure nobody waits for the file until a write succeeds", "[state]") {
  const test::TempDir dir;
  auto database = Database::Open({.data_dir = dir.path(), .busy_timeout = 500ms}, SystemClock());
  REQUIRE(database->Migrate("things", kSteps));
  const auto waited = [&](std::int64_t id) {
    const auto begin = SystemClock().Now();
    (void)Insert(*database, id, "x");
    return SystemClock().Now() - begin;
  };
  {
    const Locker locker(database->path());
    CHECK(waited(1) >= 500ms);
    // Rules go on at their pace.
    Duration all{};
    for (int i = 0; i < 5; ++i) all += waited(1);
    CHECK(all < 500ms);
  }
  REQUIRE(Insert(*database, 1, "x"));
  const Locker locker(database->path());
  CHECK(waited(2) >= 500ms);
}

TEST_CASE("tables that a locked file did not take are made with the next write", "[state]") {
  const test::TempDir dir;
  { (void)Open(dir); }
  static constexpr std::string_view kMore[] = {"CREATE TABLE more (id INTEGER PRIMARY KEY)"};
  auto database = Database::Open({.data_dir = dir.path(), .busy_timeout = 0ms}, SystemClock());
  const auto add = [&](Session& session) { return session.Run("INSERT INTO more VALUES (1)"); };
  {
    const Locker locker(database->path());
    REQUIRE(!database->Migrate("more", kMore));
    REQUIRE(!database->Write(add));
  }
  REQUIRE(database->Write(add));
  database.reset();
  database = Open(dir);
  REQUIRE(database->Migrate("more", kMore));  // once is enough
}

TEST_CASE("a full disk is an error that passes", "[state]") {
  const test::TempDir dir;
  auto database = Open(dir);
  const auto limit = [&](std::string_view pragma) {
    return database->Write([&](Session& session) { return session.RunAll(pragma); });
  };
  REQUIRE(limit("PRAGMA max_page_count = 8"));  // what SQLite then says is SQLITE_FULL
  const auto status = Insert(*database, 1, std::string(100'000, 'x'));
  REQUIRE(!status);
  REQUIRE(status.error().code() == ErrorCode::kUnavailable);
  REQUIRE(status.error().message() == "database or disk is full");
  REQUIRE(!database->health().writable);
  REQUIRE(limit("PRAGMA max_page_count = 1000"));
  REQUIRE(Insert(*database, 1, std::string(100'000, 'x')));
  REQUIRE(database->health().writable);
}

TEST_CASE("threads write and read the state file side by side", "[state]") {
  const test::TempDir dir;
  auto database = Open(dir);
  std::vector<std::jthread> threads;
  for (std::int64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::int64_t i = 0; i < 50; ++i) {
        (void)Insert(*database, thread * 50 + i, "x");
        (void)Names(*database);
      }
    });
  }
  threads.clear();
  REQUIRE(Names(*database).size() == 400);
}
