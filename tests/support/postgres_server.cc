#include "tests/support/postgres_server.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <thread>

namespace vigia::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// The folder of the newest installed server's programs, or empty.
fs::path FindPrograms() {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", error)) {
    if (fs::exists(entry.path() / "bin/postgres")) found.push_back(entry.path() / "bin");
  }
  return found.empty() ? fs::path() : *std::max_element(found.begin(), found.end());
}

// `argv` as the user that PostgreSQL may run as, and ended with this process.
std::vector<std::string> AsServerUser(std::vector<std::string> argv) {
  std::vector<std::string> all{"setpriv", "--pdeathsig", "INT"};
  if (::geteuid() == 0) {
    all.insert(all.end(), {"--reuid", "postgres", "--regid", "postgres", "--init-groups"});
  }
  all.insert(all.end(), argv.begin(), argv.end());
  return all;
}

void MustRun(std::vector<std::string> argv) {
  const auto finished = RunProgram(argv);
  if (finished.exit_code != 0) throw std::runtime_error(argv.back() + ": " + finished.output);
}

// The processes whose parent is `parent`.
std::vector<pid_t> Children(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != name.npos) continue;
    std::ifstream file(entry.path() / "stat");
    std::string line;
    std::getline(file, line);
    // "12 (postgres) S 1 ...": the name may hold blanks and brackets.
    const auto end = line.rfind(')');
    if (end == line.npos || line.size() < end + 4) continue;
    if (std::atoi(line.c_str() + end + 4) == parent) children.push_back(std::stoi(name));
  }
  return children;
}

}  // namespace

bool PostgresServer::Installed() {
  if (!FindPrograms().empty()) return true;
  std::cerr << "*** SKIPPED: no PostgreSQL server in /usr/lib/postgresql; install postgresql to "
               "run this test\n";
  return false;
}

PostgresServer::PostgresServer(std::vector<std::string> settings, std::vector<std::string> hba) {
  const auto data = folder_.path() / "data";
  fs::create_directory(data);
  fs::permissions(folder_.path(), fs::perms(0755));
  if (::geteuid() == 0) {
    MustRun({"chown", "postgres", folder_.path(), data});
  }
  MustRun(AsServerUser({FindPrograms() / "initdb", "-D", data, "-U", "postgres", "-A", "trust",
                        "--no-sync", "-E", "UTF8", "--locale=C"}));
  std::ofstream conf(data / "postgresql.conf", std::ios::app);
  conf << "listen_addresses = ''\nunix_socket_directories = '" << folder_.path().string()
       << "'\nfsync = off\nshared_buffers = 16MB\nlog_min_messages = fatal\n";
  for (const auto& line : settings) conf << line << '\n';
  conf.close();
  const auto trusted = folder_.Read("data/pg_hba.conf");
  std::ofstream access(data / "pg_hba.conf");
  for (const auto& line : hba) access << line << '\n';
  access << trusted;
  access.close();
  Start();
}

PostgresServer::~PostgresServer() {
  if (!postmaster_) return;
  Thaw();
  try {
    Stop();
  } catch (const std::exception& e) {
    std::cerr << "PostgreSQL does not stop: " << e.what() << '\n';
  }
}

std::string PostgresServer::dsn(std::string_view database, std::string_view user) const {
  return "host=" + folder_.path().string() + " port=5432 dbname=" + std::string(database) +
         " user=" + std::string(user);
}

void PostgresServer::Start() {
  const auto argv = AsServerUser({FindPrograms() / "postgres", "-D", folder_.path() / "data"});
  postmaster_ = std::make_unique<Process>(argv);
  AwaitSql("SELECT 1", "1\n");
}

void PostgresServer::Stop() {
  postmaster_->Signal(SIGINT);
  if (!postmaster_->Wait()) postmaster_->Signal(SIGQUIT);
  if (!postmaster_->Wait()) throw std::runtime_error(postmaster_->Output());
  postmaster_.reset();
}

void PostgresServer::Freeze() {
  postmaster_->Signal(SIGSTOP);  // first, so that no process is added meanwhile
  for (const pid_t pid : Children(postmaster_->pid())) ::kill(pid, SIGSTOP);
}

void PostgresServer::Thaw() {
  for (const pid_t pid : Children(postmaster_->pid())) ::kill(pid, SIGCONT);
  postmaster_->Signal(SIGCONT);
}

std::vector<std::string> PostgresServer::Psql(const std::string& database,
                                              const std::string& sql) const {
  return {FindPrograms() / "psql",
          "-XAtq",
          "-v",
          "ON_ERROR_STOP=1",
          "-U",
          "postgres",
          "-h",
          folder_.path(),
          "-p",
          "5432",
          "-d",
          database,
          "-c",
          sql};
}

std::string PostgresServer::Sql(const std::string& sql, const std::string& database) const {
  const auto finished = RunProgram(Psql(database, sql));
  if (finished.exit_code != 0) throw std::runtime_error(sql + ": " + finished.output);
  return finished.output;
}

std::unique_ptr<Process> PostgresServer::Session(const std::string& sql,
                                                 const std::string& database) const {
  return std::make_unique<Process>(Psql(database, sql));
}

void PostgresServer::AwaitSql(const std::string& sql, const std::string& expected,
                              const std::string& database) const {
  const auto until = std::chrono::steady_clock::now() + 60s;
  std::string last;
  while (std::chrono::steady_clock::now() < until) {
    try {
      last = Sql(sql, database);
      if (last == expected) return;
    } catch (const std::exception& e) {
      last = e.what();
    }
    std::this_thread::sleep_for(50ms);
  }
  throw std::runtime_error(sql + ": " + last);
}

}  // namespace vigia::test
