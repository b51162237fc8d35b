// A real Redis server of a test's own: on a free port and a unix socket, in a temporary folder.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace vigia::test {

class RedisServer {
 public:
  // Whether redis-server is installed; says so in the test's output if it is not.
  static bool Available();

  // Starts it with further settings ("--requirepass", "x", ...) and waits until it answers.
  explicit RedisServer(std::vector<std::string> settings = {});
  ~RedisServer();

  int port() const { return port_; }
  std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }
  std::string socket() const { return dir_.path() / "redis.sock"; }
  pid_t pid() const { return process_->pid(); }

  // Runs redis-cli with these arguments and returns what it printed.
  std::string Cli(std::vector<std::string> arguments) const;

  void Stop();
  // On the same port, with the same settings.
  void Start();
  void Freeze() const;  // SIGSTOP: accepts connections, answers nothing
  void Thaw() const;

 private:
  TempDir dir_;
  std::vector<std::string> settings_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace vigia::test
