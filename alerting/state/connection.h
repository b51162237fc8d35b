// A Connection to SQLite and the statements that it has prepared. Used by Database alone. Not
// thread-safe.

#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "alerting/state/database.h"
#include "core/hash.h"

struct sqlite3;

namespace vigia::alerting::state {

class Connection {
 public:
  // An empty path is a database in memory.
  static Result<std::unique_ptr<Connection>> Open(const std::filesystem::path& path,
                                                  std::chrono::milliseconds busy_timeout);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // How long a statement waits for another process that holds the file.
  void SetPatience(std::chrono::milliseconds busy_timeout);

  // Statements without parameters or answers, separated by semicolons.
  Status Script(std::string_view sql);
  // One statement; `take`, if there is one, gets each row.
  Status Query(std::string_view sql, std::span<const Value> parameters,
               const std::function<void(const Row&)>* take);
  std::int64_t changes() const;
  std::int64_t inserted_id() const;

 private:
  explicit Connection(sqlite3* handle) : handle_(handle) {}

  Result<sqlite3_stmt*> Prepare(std::string_view sql);
  Error LastError() const;

  sqlite3* const handle_;
  std::unordered_map<std::string, sqlite3_stmt*, StringHash, std::equal_to<>> statements_;
};

}  // namespace vigia::alerting::state
