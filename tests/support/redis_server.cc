#include "tests/support/redis_server.h"

#include <signal.h>

#include <iostream>
#include <stdexcept>

#include "tests/support/http_client.h"

namespace vigia::test {

bool RedisServer::Available() {
  if (HasProgram("redis-server")) return true;
  std::cerr << "SKIPPED: redis-server is not installed (scripts/install-packages test)\n";
  return false;
}

RedisServer::RedisServer(std::vector<std::string> settings)
    : settings_(std::move(settings)), port_(FreePort()) {
  Start();
}

RedisServer::~RedisServer() { Thaw(); }

void RedisServer::Start() {
  std::vector<std::string> argv{"redis-server",
                                "--port",
                                std::to_string(port_),
                                "--bind",
                                "127.0.0.1",
                                "--save",
                                "",
                                "--appendonly",
                                "no",
                                "--dir",
                                dir_.path(),
                                "--unixsocket",
                                socket(),
                                "--daemonize",
                                "no"};
  argv.insert(argv.end(), settings_.begin(), settings_.end());
  process_ = std::make_unique<Process>(argv);
  if (!process_->AwaitOutput("eady to accept connections")) {
    throw std::runtime_error("redis-server did not start:\n" + process_->Output());
  }
}

void RedisServer::Stop() {
  process_->Signal(SIGKILL);
  process_->Wait();
}

void RedisServer::Freeze() const { process_->Signal(SIGSTOP); }
void RedisServer::Thaw() const { process_->Signal(SIGCONT); }

std::string RedisServer::Cli(std::vector<std::string> arguments) const {
  std::vector<std::string> argv{"redis-cli", "-s", socket(), "--no-auth-warning"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return RunProgram(std::move(argv)).output;
}

}  // namespace vigia::test
