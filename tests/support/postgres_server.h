// A real PostgreSQL server of a test's own: in a temporary folder, on a unix socket there.
//
//     PostgresServer server({"max_connections = 20"});
//     server.Sql("CREATE TABLE t (id int)");
//     Connect(server.dsn());
//
// As root it runs as the user `postgres`, which PostgreSQL insists on. It ends with the test, even
// if that is killed. Throws std::runtime_error if something fails that a test cannot go on
// without.

#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace vigia::test {

class PostgresServer {
 public:
  // Whether a PostgreSQL server is installed; says loudly on stderr if not, so that a skipped
  // test does not look like a passed one.
  static bool Installed();

  // Starts it. `settings` are lines of postgresql.conf, `hba` lines at the top of pg_hba.conf
  // (below them everybody is trusted).
  explicit PostgresServer(std::vector<std::string> settings = {},
                          std::vector<std::string> hba = {});
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  // Connection string through the socket.
  std::string dsn(std::string_view database = "postgres", std::string_view user = "postgres") const;
  // The folder with the socket, whose port is 5432.
  const std::filesystem::path& socket_dir() const { return folder_.path(); }

  // Starts it again, and waits until it answers.
  void Start();
  // Ends it; sessions are cut off.
  void Stop();
  // SIGSTOP to all its processes: it hangs, its sockets stay open; and SIGCONT.
  void Freeze();
  void Thaw();

  // Runs statements as the superuser and returns what they print, columns by '|', rows by lines.
  std::string Sql(const std::string& sql, const std::string& database = "postgres") const;
  // A session of its own that runs `sql`, and stays open until the Process ends.
  std::unique_ptr<Process> Session(const std::string& sql,
                                   const std::string& database = "postgres") const;
  // Waits until `sql` prints `expected`; throws after a minute.
  void AwaitSql(const std::string& sql, const std::string& expected,
                const std::string& database = "postgres") const;

 private:
  std::vector<std::string> Psql(const std::string& database, const std::string& sql) const;

  TempDir folder_;
  std::unique_ptr<Process> postmaster_;
};

}  // namespace vigia::test
