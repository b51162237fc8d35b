// A Connection is one session with one database of a PostgreSQL server.
//
// Everything it does is bounded by a deadline on the client's side. Sessions are read-only, have
// statement and lock timeouts of their own, and resolve names in pg_catalog only. Used by one
// thread at a time.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/postgres/watchdog.h"
#include "core/clock.h"
#include "core/duration.h"
#include "core/result.h"
#include "core/secret.h"

namespace vigia::collectors::postgres {

struct ConnectOptions {
  // Keywords and values, or a postgresql:// URI; libpq adds PG* variables, ~/.pgpass and the
  // service file. Empty: the local server. May hold a password: never print it.
  std::string dsn;
  Secret password;  // revealed at each connect; empty: whatever libpq finds
  Milliseconds statement_timeout{5000};
  Milliseconds lock_timeout{100};
};

// kInvalid if `dsn` is not a connection string. The message repeats nothing of it.
Status CheckDsn(const std::string& dsn);

// One value of a row, as text, or NULL.
struct Cell {
  std::string_view text;
  bool null = false;
};
using Row = std::span<const Cell>;

// What a statement returned. Cells stay valid as long as the Rows.
class Rows {
 public:
  struct Impl;

  explicit Rows(std::unique_ptr<Impl> impl);
  Rows(Rows&&) noexcept;
  Rows& operator=(Rows&&) noexcept;
  ~Rows();

  std::size_t size() const;
  std::size_t columns() const;
  // Stops at the first row that `visit` fails for.
  Status ForEach(const std::function<Status(Row)>& visit) const;

 private:
  std::unique_ptr<Impl> impl_;
};

// The most that Stream() takes.
struct StreamLimits {
  std::size_t rows = 10'000;
  std::size_t bytes = 16 * 1024 * 1024;  // of all values together
};

// Receives what Stream() reads: its columns once, then row after row.
class RowReader {
 public:
  virtual ~RowReader() = default;

  // Nothing more is handed over after either has failed.
  virtual Status Columns(std::span<const std::string_view> names) = 0;
  virtual Status Add(Row row) = 0;
};

class Connection {
 public:
  // Connects to `database`, or to the one that the options name if it is empty. kInvalid: the
  // server answers and will refuse again (no such database, no right to connect, wrong password);
  // kUnavailable: not now (down, starting, out of connections); kTimeout. `watchdog` outlives the
  // connection. The lookup of a host name is the resolver's, which a deadline does not bound.
  static Result<std::unique_ptr<Connection>> Open(const ConnectOptions& options,
                                                  const std::string& database, Watchdog& watchdog,
                                                  Deadline deadline);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs `sql`, which is parsed and planned once per session under `name`. kInvalid: it will fail
  // again (missing right, relation or function); kTimeout: the deadline, or a timeout of the
  // session; kUnavailable: the server or the connection went away.
  Result<Rows> Query(const std::string& name, const std::string& sql, Deadline deadline);

  // Asks the statements of these names together, in one journey to the server instead of one each;
  // Query() then finds their answers. Leaves to Query() what it has not run in this session yet,
  // and what stands behind one that fails. Answers that were not fetched before are forgotten. The
  // errors are Query()'s; after one the connection is lost.
  Status Ahead(const std::vector<std::string>& names, Deadline deadline);
  // How long the server took for the answers that Query() found, since the call before.
  Duration TakeTimeAhead();

  // Runs `sql`, one statement that is somebody else's: it is not prepared, and its rows are handed
  // to `reader` as they arrive, so that no more of them than `limits` are ever held. What exceeds
  // them is kInvalid and costs the connection, which is quicker than reading the rest.
  Status Stream(const std::string& sql, const StreamLimits& limits, Deadline deadline,
                RowReader& reader);

  // False once the connection is lost, or was given up at a deadline: discard it.
  bool alive() const;
  // 150018 for 15.18.
  int server_version() const;
  // "PostgreSQL 15.18 (Debian ...) on ...".
  const std::string& version_text() const;
  const std::string& database() const;

 private:
  struct Impl;
  explicit Connection(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace vigia::collectors::postgres
