// The Database is vigia's one state file, <data_dir>/vigia.db: SQLite in WAL mode, and the only
// place that knows SQLite.
//
//     auto& database = ...;
//     database.Migrate("silences", kSteps);                     // a store's own tables
//     database.Write([&](state::Session& session) -> Status {   // one transaction
//       return session.Run("INSERT INTO silences (id, ends_at) VALUES (?, ?)", {id, ends_at});
//     });
//     database.Read([&](state::Session& session) -> Status {
//       return session.Each("SELECT id FROM silences", {}, [&](const state::Row& row) {
//         ids.emplace_back(row.Text(0));
//       });
//     });
//
// A killed process loses nothing that a Write() committed. A power cut can lose the last
// commits of Durability::kProcess, never the file's integrity (synchronous = NORMAL): rules find
// such an alert again and tell it twice at worst, which does not justify an fsync for each
// evaluation. What people typed (silences, acknowledgements) cannot be found again: it is
// written with Durability::kDisk, which waits for the disk and carries all earlier commits along.
//
// What goes wrong: a file that is corrupt when it is opened is renamed and a new one begun; a
// file that cannot be opened at all leaves a database in memory, which forgets at the end of the
// process. Later errors (disk full, locked by someone else, corrupt) are returned: owners keep
// what they know in memory and write it when writing works again; tables that could not be made
// are made then. After a failure nobody waits for the file any more until a write succeeds, so that
// alerting keeps its pace. health() tells.
//
// Thread-safe. Writers take turns; readers take turns among themselves and see the last commit.
// The functions that are passed in run under that turn: they touch the session and nothing slow.

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "core/clock.h"
#include "core/result.h"

struct sqlite3_stmt;

namespace vigia::alerting::state {

// A parameter of a statement; text is borrowed until the call returns.
using Value = std::variant<std::nullptr_t, std::int64_t, double, std::string_view>;

// One row of an answer, valid while the function that got it runs. Columns count from 0; a value
// of another type is converted as SQLite does, NULL is 0 and empty.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}

  std::int64_t Integer(int column) const;
  double Real(int column) const;
  std::string_view Text(int column) const;
  bool IsNull(int column) const;

 private:
  sqlite3_stmt* statement_;
};

class Connection;

// Statements of one transaction. Their text is prepared once and kept, so it is constant:
// parameters, never pasted values.
class Session {
 public:
  explicit Session(Connection& connection) : connection_(connection) {}

  Status Run(std::string_view sql, std::span<const Value> parameters);
  Status Run(std::string_view sql, std::initializer_list<Value> parameters = {}) {
    return Run(sql, std::span(parameters.begin(), parameters.size()));
  }
  Status Each(std::string_view sql, std::span<const Value> parameters,
              const std::function<void(const Row&)>& take);
  Status Each(std::string_view sql, std::initializer_list<Value> parameters,
              const std::function<void(const Row&)>& take) {
    return Each(sql, std::span(parameters.begin(), parameters.size()), take);
  }
  // Several statements without parameters, separated by semicolons.
  Status RunAll(std::string_view script);
  // Rows that the last statement changed; the id of the row that it inserted.
  std::int64_t changes() const;
  std::int64_t inserted_id() const;

 private:
  Connection& connection_;
};

enum class Durability {
  kProcess,  // survives the end of the process
  kDisk,     // survives a power cut
};

// How the database is, for metrics and /-/ready.
struct Health {
  bool persistent = true;  // false: in memory only
  bool writable = true;    // whether the last write succeeded
  std::string problem;     // of the last failed write or of the opening; empty while all is well
  std::uint64_t transactions = 0;   // committed, reads not counted
  std::uint64_t failures = 0;       // writes that failed
  std::uint64_t corrupt_files = 0;  // set aside by this process
  std::uint64_t bytes = 0;          // of the file and its log
};

class Database {
 public:
  struct Options {
    std::filesystem::path data_dir;  // made if it is not there
    // How long a write waits for another process that holds the file.
    std::chrono::milliseconds busy_timeout{2'000};
    // The same for the opening: without the file a whole process would live in memory.
    std::chrono::milliseconds open_timeout{10'000};
  };

  // Never fails: what goes wrong is in health(), and logged.
  static std::unique_ptr<Database> Open(const Options& options, Clock& clock);
  // For tests and tools: nothing on disk.
  static std::unique_ptr<Database> InMemory();
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Brings `owner`'s tables up to date: runs the steps that this file has not seen yet, each one
  // or more statements, in one transaction. Steps are only ever added at the end, and outlive this.
  // kInvalid if the file is of a newer vigia that knows more steps; after another error the next
  // Write() tries again.
  Status Migrate(std::string_view owner, std::span<const std::string_view> steps);

  // Runs `work` in one transaction; an error of it, or of the commit, leaves nothing behind.
  // kUnavailable: disk full, locked, read-only; kCorrupt: the file is damaged.
  Status Write(const std::function<Status(Session&)>& work,
               Durability durability = Durability::kProcess);
  // The same for statements that change nothing.
  Status Read(const std::function<Status(Session&)>& work);

  Health health() const;
  // Where the file is; empty for one in memory.
  const std::filesystem::path& path() const;

 private:
  class Impl;
  explicit Database(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace vigia::alerting::state
