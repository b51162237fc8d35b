// libpqxx, and below it libpq, stand in this file and pipeline.cc only. pqxx holds the session;
// connecting without blocking and statements are libpq's: pqxx 6 cannot do the former, and loses
// the result of a prepared statement that meets a dead connection.

#include "collectors/postgres/connection.h"

#include <poll.h>

#include <array>
#include <cerrno>
#include <pqxx/pqxx>
#include <unordered_set>
#include <vector>

#include "collectors/postgres/pipeline.h"
#include "collectors/postgres/sqlstate.h"

namespace vigia::collectors::postgres {
namespace {

// pqxx 6 has classes for some errors and forgets the SQLSTATE of those: 42501 (no right), 42601 and
// its kind (no such table, column or function), 53200 (out of memory), 53100 (disk full).
ErrorCode CodeOf(const pqxx::sql_error& error) {
  if (!error.sqlstate().empty()) return CodeOfSqlState(error.sqlstate());
  const bool resources = dynamic_cast<const pqxx::insufficient_resources*>(&error) != nullptr;
  return resources ? ErrorCode::kUnavailable : ErrorCode::kInvalid;
}

struct ConnectFailure : std::exception {
  explicit ConnectFailure(Error e) : error(std::move(e)) {}
  const char* what() const noexcept override { return error.message().c_str(); }
  Error error;
};

[[noreturn]] void ThrowRefused(PGconn* connection) {
  std::string message = OneLine(PQerrorMessage(connection));
  const auto state = TakeSqlState(message);
  throw ConnectFailure({CodeOfSqlState(state), "cannot connect: " + message});
}

// Waits until libpq can go on. False at the deadline.
bool AwaitSocket(PGconn* connection, PostgresPollingStatusType wanted, Deadline deadline) {
  pollfd descriptor{PQsocket(connection),
                    static_cast<short>(wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
  for (;;) {
    const auto left = deadline.Left();
    if (left <= 0ms) return false;
    const int ready = ::poll(&descriptor, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

// A policy of pqxx says how a connection comes about: here without ever blocking longer than
// until the deadline, which pqxx' own policies cannot.
class BoundedConnect final : public pqxx::connectionpolicy {
 public:
  BoundedConnect(const ConnectOptions& options, const std::string& database, Deadline deadline)
      : connectionpolicy(""), options_(options), database_(database), deadline_(deadline) {}

  handle do_startconnect(handle existing) override {
    // A lost connection is not silently replaced by a new session without our settings.
    if (existing || used_) return existing;
    used_ = true;
    PGconn* const connection = Start();
    if (!connection) throw std::bad_alloc();
    try {
      Complete(connection);
    } catch (...) {
      PQfinish(connection);
      throw;
    }
    started_ = connection;
    return connection;
  }

  // The session below pqxx, which owns it.
  PGconn* started() const { return started_; }

 private:
  PGconn* Start() const {
    const auto password = options_.password.Reveal();
    if (!password) throw ConnectFailure(password.error());
    // The first dbname is expanded as a connection string; what follows it wins over it.
    std::vector<const char*> names{"dbname", "fallback_application_name"};
    std::vector<const char*> values{options_.dsn.c_str(), "vigia"};
    if (!password->empty()) {
      names.push_back("password");
      values.push_back(password->c_str());
    }
    if (!database_.empty()) {
      names.push_back("dbname");
      values.push_back(database_.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    return PQconnectStartParams(names.data(), values.data(), 1);
  }

  void Complete(PGconn* connection) const {
    if (PQstatus(connection) == CONNECTION_BAD) ThrowRefused(connection);
    PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);  // for the SQLSTATE
    PQsetNoticeProcessor(
        connection, [](void*, const char*) {}, nullptr);
    auto wanted = PGRES_POLLING_WRITING;
    while (wanted != PGRES_POLLING_OK) {
      if (wanted == PGRES_POLLING_FAILED) ThrowRefused(connection);
      if (!AwaitSocket(connection, wanted, deadline_)) {
        throw ConnectFailure({ErrorCode::kTimeout, "cannot connect: no answer in time"});
      }
      wanted = PQconnectPoll(connection);
    }
    PQsetErrorVerbosity(connection, PQERRORS_TERSE);
  }

  const ConnectOptions& options_;
  const std::string& database_;
  const Deadline deadline_;
  bool used_ = false;
  PGconn* started_ = nullptr;
};

class PqxxConnection final : public pqxx::connection_base {
 public:
  PqxxConnection(const ConnectOptions& options, const std::string& database, Deadline deadline)
      : connection_base(policy_), policy_(options, database, deadline) {
    init();
  }
  ~PqxxConnection() noexcept { close(); }

  PGconn* raw() const { return policy_.started(); }

 private:
  BoundedConnect policy_;
};

// Settings of every session of ours. SET instead of the startup packet's options: poolers refuse
// those.
std::string SessionSettings(const ConnectOptions& options, int version) {
  std::string sql =
      "SET default_transaction_read_only = on; SET search_path = pg_catalog; SET jit = off;"
      "SET idle_in_transaction_session_timeout = '60s';"
      "SET statement_timeout = " +
      std::to_string(options.statement_timeout.count()) +
      ";SET lock_timeout = " + std::to_string(options.lock_timeout.count());
  // Between two runs the session is idle on purpose.
  if (version >= 140000) sql += ";SET idle_session_timeout = 0";
  return sql;
}

}  // namespace

struct Rows::Impl {
  ResultOwner result;
};

Rows::Rows(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Rows::Rows(Rows&&) noexcept = default;
Rows& Rows::operator=(Rows&&) noexcept = default;
Rows::~Rows() = default;

std::size_t Rows::size() const { return static_cast<std::size_t>(PQntuples(impl_->result.get())); }
std::size_t Rows::columns() const {
  return static_cast<std::size_t>(PQnfields(impl_->result.get()));
}

Status Rows::ForEach(const std::function<Status(Row)>& visit) const {
  const PGresult* const result = impl_->result.get();
  std::vector<Cell> cells(columns());
  for (int row = 0; row < PQntuples(result); ++row) {
    int column = 0;
    for (auto& cell : cells) {
      cell.text = {PQgetvalue(result, row, column),
                   static_cast<std::size_t>(PQgetlength(result, row, column))};
      cell.null = cell.text.empty() && PQgetisnull(result, row, column) != 0;
      ++column;
    }
    if (auto status = visit(cells); !status) return status;
  }
  return Ok();
}

struct Connection::Impl {
  Watchdog& watchdog;
  PqxxConnection session;
  std::string database;
  std::string version_text;
  std::unordered_set<std::string> prepared;
  std::unordered_map<std::string, Answer> ahead;  // of statements that Query() will ask for
  Duration time_ahead{0};
  bool alive = true;

  Impl(const ConnectOptions& options, const std::string& wanted, Watchdog& dog, Deadline deadline)
      : watchdog(dog), session(options, wanted, deadline) {}

  // Calls `work` with the watchdog on; translates what pqxx throws.
  template <typename Work>
  auto Guarded(Deadline deadline, Work work) -> Result<decltype(work())> {
    if (deadline.Left() <= 0ms) return Fail(ErrorCode::kTimeout, "no time left");
    watchdog.Arm(session.sock(), deadline);
    auto value = Translated(std::move(work));
    if (!watchdog.Disarm()) return value;
    alive = false;
    return Fail(ErrorCode::kTimeout, "no answer in time");
  }

  template <typename Work>
  auto Translated(Work work) -> Result<decltype(work())> {
    try {
      return work();
    } catch (const pqxx::sql_error& e) {
      alive = alive && session.is_open() && !e.sqlstate().starts_with("57P");
      return Fail(CodeOf(e), OneLine(e.what()));
    } catch (const pqxx::transaction_rollback& e) {
      // A conflict with recovery on a standby: the session goes on.
      alive = alive && session.is_open();
      return Fail(ErrorCode::kUnavailable, OneLine(e.what()));
    } catch (const std::exception& e) {
      alive = false;
      return Fail(ErrorCode::kUnavailable, OneLine(e.what()));
    }
  }

  // The rows of a result that has some; throws for an error.
  Rows Checked(ResultOwner result) {
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
      ThrowFailure(session.raw(), result.get());
    }
    return Rows(std::make_unique<Rows::Impl>(Rows::Impl{std::move(result)}));
  }
};

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::Open(const ConnectOptions& options,
                                                     const std::string& database,
                                                     Watchdog& watchdog, Deadline deadline) {
  std::unique_ptr<Impl> impl;
  try {
    impl = std::make_unique<Impl>(options, database, watchdog, deadline);
  } catch (const ConnectFailure& e) {
    return Fail(e.error);
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kUnavailable, "cannot connect: " + OneLine(e.what()));
  }
  auto ready = impl->Guarded(deadline, [&] {
    pqxx::nontransaction transaction(impl->session);
    transaction.exec(SessionSettings(options, impl->session.server_version()));
    impl->database = impl->session.dbname();
    // Where names may be any bytes, they are taken as they are: the server would refuse to call
    // them UTF-8.
    const auto row = transaction.exec1(
        "SELECT version(), set_config('client_encoding', CASE current_setting('server_encoding') "
        "WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END, false)");
    impl->version_text = row[0].c_str();
    return true;
  });
  if (!ready) return Fail(ready.error().In("cannot set the session up"));
  return std::unique_ptr<Connection>(new Connection(std::move(impl)));
}

Status Connection::Ahead(const std::vector<std::string>& names, Deadline deadline) {
  impl_->ahead.clear();
  impl_->time_ahead = {};
  std::vector<std::string> known;
  for (const auto& name : names) {
    if (impl_->prepared.contains(name)) known.push_back(name);
  }
  if (known.empty()) return Ok();
  if (deadline.Left() <= 0ms) return Fail(ErrorCode::kTimeout, "no time left");
  std::string asked;
  auto answers =
      impl_->Guarded(deadline, [&] { return AskTogether(impl_->session.raw(), known, asked); });
  if (answers) {
    impl_->ahead = std::move(*answers);
    return Ok();
  }
  // The session was left in the middle of its answers.
  impl_->alive = false;
  return Fail(answers.error().In(asked));
}

Duration Connection::TakeTimeAhead() { return std::exchange(impl_->time_ahead, {}); }

Result<Rows> Connection::Query(const std::string& name, const std::string& sql, Deadline deadline) {
  if (auto found = impl_->ahead.extract(name)) {
    impl_->time_ahead += found.mapped().took;
    return impl_->Translated([&] { return impl_->Checked(std::move(found.mapped().result)); });
  }
  PGconn* const session = impl_->session.raw();
  return impl_->Guarded(deadline, [&] {
    if (!impl_->prepared.contains(name)) {
      const ResultOwner made(PQprepare(session, name.c_str(), sql.c_str(), 0, nullptr), PQclear);
      if (PQresultStatus(made.get()) != PGRES_COMMAND_OK) ThrowFailure(session, made.get());
      impl_->prepared.insert(name);
    }
    return impl_->Checked(
        {PQexecPrepared(session, name.c_str(), 0, nullptr, nullptr, nullptr, /*resultFormat=*/0),
         PQclear});
  });
}

namespace {

// Hands the rows of one statement to a reader and counts them.
class RowStream {
 public:
  RowStream(const StreamLimits& limits, RowReader& reader) : limits_(limits), reader_(reader) {}

  // The columns of the first result; the only row of each that has one. False over the limits.
  bool Take(const PGresult* result) {
    const int columns = PQnfields(result);
    if (first_) {
      first_ = false;
      std::vector<std::string_view> names;
      for (int i = 0; i < columns; ++i) names.emplace_back(PQfname(result, i));
      cells_.resize(names.size());
      status_ = reader_.Columns(names);
    }
    for (int row = 0; row < PQntuples(result); ++row) {
      for (int i = 0; i < columns; ++i) {
        auto& cell = cells_[static_cast<std::size_t>(i)];
        cell.null = PQgetisnull(result, row, i) != 0;
        cell.text = {PQgetvalue(result, row, i),
                     static_cast<std::size_t>(PQgetlength(result, row, i))};
        bytes_ += cell.text.size();
      }
      if (++rows_ > limits_.rows || bytes_ > limits_.bytes) return false;
      if (status_) status_ = reader_.Add(cells_);
    }
    return true;
  }

  Status Excess() const {
    const bool rows = rows_ > limits_.rows;
    return Fail(ErrorCode::kInvalid, "returns more than " +
                                         std::to_string(rows ? limits_.rows : limits_.bytes) +
                                         (rows ? " rows" : " bytes"));
  }
  const Status& status() const { return status_; }

 private:
  const StreamLimits& limits_;
  RowReader& reader_;
  bool first_ = true;
  std::vector<Cell> cells_;
  std::size_t rows_ = 0;
  std::size_t bytes_ = 0;
  Status status_;
};

}  // namespace

Status Connection::Stream(const std::string& sql, const StreamLimits& limits, Deadline deadline,
                          RowReader& reader) {
  PGconn* const session = impl_->session.raw();
  const auto done = impl_->Guarded(deadline, [&]() -> Status {
    RowStream stream(limits, reader);
    const int sent =
        PQsendQueryParams(session, sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0);
    if (sent != 1 || PQsetSingleRowMode(session) != 1) ThrowFailure(session, nullptr);
    while (const auto result = NextResult(session)) {
      switch (PQresultStatus(result.get())) {
        case PGRES_SINGLE_TUPLE:
        case PGRES_TUPLES_OK:
        case PGRES_COMMAND_OK:
        case PGRES_EMPTY_QUERY:
          if (stream.Take(result.get())) break;
          impl_->alive = false;
          return stream.Excess();
        case PGRES_FATAL_ERROR: {
          // Whatever follows the error belongs to it; the session is idle again after it.
          while (NextResult(session) && PQstatus(session) == CONNECTION_OK) {
          }
          ThrowFailure(session, result.get());
        }
        default:
          impl_->alive = false;
          return Fail(ErrorCode::kInvalid, "is not a query that returns rows");
      }
    }
    // The next statement must not find itself in a transaction that this one has begun.
    if (PQtransactionStatus(session) != PQTRANS_IDLE) impl_->alive = false;
    return stream.status();
  });
  if (!done) return Fail(done.error());
  return *done;
}

bool Connection::alive() const { return impl_->alive; }
int Connection::server_version() const { return impl_->session.server_version(); }
const std::string& Connection::version_text() const { return impl_->version_text; }
const std::string& Connection::database() const { return impl_->database; }

Status CheckDsn(const std::string& dsn) {
  // A bare word is a database name to libpq.
  if (dsn.empty() || (dsn.find('=') == dsn.npos && dsn.find("://") == dsn.npos)) return Ok();
  char* message = nullptr;
  PQconninfoOption* const options = PQconninfoParse(dsn.c_str(), &message);
  PQfreemem(message);  // may quote a password
  if (!options) {
    return Fail(ErrorCode::kInvalid,
                "is not a connection string: 'host=... dbname=... user=...' or "
                "postgresql://user@host/dbname");
  }
  PQconninfoFree(options);
  return Ok();
}

}  // namespace vigia::collectors::postgres
