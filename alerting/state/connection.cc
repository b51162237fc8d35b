#include "alerting/state/connection.h"

#include <sqlite3.h>

namespace vigia::alerting::state {
namespace {

ErrorCode CodeOf(int code) {
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kCorrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_NOMEM:
    case SQLITE_PROTOCOL:
      return ErrorCode::kUnavailable;
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
      return ErrorCode::kInvalid;
    default:
      return ErrorCode::kInternal;
  }
}

struct Binder {
  sqlite3_stmt* statement;
  int index;

  int operator()(std::nullptr_t) const { return sqlite3_bind_null(statement, index); }
  int operator()(std::int64_t value) const { return sqlite3_bind_int64(statement, index, value); }
  int operator()(double value) const { return sqlite3_bind_double(statement, index, value); }
  // Parameters outlive the statement's run, so nothing is copied.
  int operator()(std::string_view value) const {
    return sqlite3_bind_text64(statement, index, value.data() ? value.data() : "", value.size(),
                               SQLITE_STATIC, SQLITE_UTF8);
  }
};

// Ends a run of a kept statement whatever happened in it.
struct Run {
  sqlite3_stmt* statement;
  ~Run() {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
  }
};

}  // namespace

std::int64_t Row::Integer(int column) const { return sqlite3_column_int64(statement_, column); }
double Row::Real(int column) const { return sqlite3_column_double(statement_, column); }
bool Row::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}
std::string_view Row::Text(int column) const {
  const void* const text = sqlite3_column_text(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return {static_cast<const char*>(text), text ? static_cast<std::size_t>(size) : 0};
}

Status Session::Run(std::string_view sql, std::span<const Value> parameters) {
  return connection_.Query(sql, parameters, nullptr);
}
Status Session::Each(std::string_view sql, std::span<const Value> parameters,
                     const std::function<void(const Row&)>& take) {
  return connection_.Query(sql, parameters, &take);
}
Status Session::RunAll(std::string_view script) { return connection_.Script(script); }
std::int64_t Session::changes() const { return connection_.changes(); }
std::int64_t Session::inserted_id() const { return connection_.inserted_id(); }

Result<std::unique_ptr<Connection>> Connection::Open(const std::filesystem::path& path,
                                                     std::chrono::milliseconds busy_timeout) {
  sqlite3* handle = nullptr;
  // Turns are Database's matter.
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code =
      sqlite3_open_v2(path.empty() ? ":memory:" : path.c_str(), &handle, kFlags, nullptr);
  std::unique_ptr<Connection> connection(new Connection(handle));
  if (code != SQLITE_OK) {
    return Fail(handle ? connection->LastError()
                       : Error(ErrorCode::kUnavailable, sqlite3_errstr(code)));
  }
  sqlite3_extended_result_codes(handle, 1);
  connection->SetPatience(busy_timeout);
  return connection;
}

void Connection::SetPatience(std::chrono::milliseconds busy_timeout) {
  sqlite3_busy_timeout(handle_, static_cast<int>(busy_timeout.count()));
}

Connection::~Connection() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close_v2(handle_);
}

Error Connection::LastError() const {
  return {CodeOf(sqlite3_extended_errcode(handle_)), sqlite3_errmsg(handle_)};
}

Status Connection::Script(std::string_view sql) {
  const int code = sqlite3_exec(handle_, std::string(sql).c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? Ok() : Status(Fail(LastError()));
}

Result<sqlite3_stmt*> Connection::Prepare(std::string_view sql) {
  if (const auto at = statements_.find(sql); at != statements_.end()) return at->second;
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return Fail(LastError());
  statements_.emplace(sql, statement);
  return statement;
}

Status Connection::Query(std::string_view sql, std::span<const Value> parameters,
                         const std::function<void(const Row&)>* take) {
  const auto prepared = Prepare(sql);
  if (!prepared) return Fail(prepared.error());
  const Run run{*prepared};
  int index = 0;
  for (const Value& value : parameters) {
    if (std::visit(Binder{*prepared, ++index}, value) != SQLITE_OK) return Fail(LastError());
  }
  for (;;) {
    const int code = sqlite3_step(*prepared);
    if (code == SQLITE_DONE) return Ok();
    if (code != SQLITE_ROW) return Fail(LastError());
    if (take) (*take)(Row(*prepared));
  }
}

std::int64_t Connection::changes() const { return sqlite3_changes64(handle_); }
std::int64_t Connection::inserted_id() const { return sqlite3_last_insert_rowid(handle_); }

}  // namespace vigia::alerting::state
