#include "tests/support/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "core/file.h"

namespace vigia::test {
namespace {

// A test has no way to be told when another process has got somewhere: it looks again.
constexpr std::chrono::milliseconds kPoll(5);

template <typename Done>
bool Poll(std::chrono::milliseconds timeout, Done done) {
  const auto until = std::chrono::steady_clock::now() + timeout;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

std::vector<std::string> EnvironmentWith(const std::map<std::string, std::string>& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry; ++entry) {
    const std::string text(*entry);
    if (!added.contains(text.substr(0, text.find('=')))) all.push_back(text);
  }
  for (const auto& [name, value] : added) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (auto& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::string StatField(pid_t pid, int wanted) {
  const auto text = ReadFile("/proc/" + std::to_string(pid) + "/stat");
  if (!text) return "0";
  std::istringstream fields(text->substr(text->rfind(')') + 2));
  std::string field;
  for (int i = 3; i <= wanted; ++i) fields >> field;
  return field;
}

}  // namespace

Process::Process(std::vector<std::string> argv, std::map<std::string, std::string> environment) {
  const std::string output = dir_.path() / "output";
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0644);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  auto env = EnvironmentWith(environment);
  const int error = ::posix_spawnp(&pid_, argv[0].c_str(), &actions, nullptr, Pointers(argv).data(),
                                   Pointers(env).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start " + argv[0]);
}

Process::~Process() {
  if (exit_code_ || Reap(false)) return;
  ::kill(pid_, SIGKILL);
  Reap(true);
}

void Process::Signal(int signal) const {
  if (!exit_code_) ::kill(pid_, signal);
}

bool Process::Reap(bool block) {
  if (exit_code_) return true;
  int status = 0;
  if (::waitpid(pid_, &status, block ? 0 : WNOHANG) != pid_) return false;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return true;
}

std::optional<int> Process::Wait(std::chrono::milliseconds timeout) {
  Poll(timeout, [&] { return Reap(false); });
  return exit_code_;
}

std::string Process::Output() const { return dir_.Read("output"); }

bool Process::AwaitOutput(const std::string& text, std::chrono::milliseconds timeout) {
  bool found = false;
  Poll(timeout, [&] {
    const bool ended = Reap(false);
    found = Output().find(text) != std::string::npos;
    return found || ended;
  });
  return found;
}

Finished RunProgram(std::vector<std::string> argv, std::map<std::string, std::string> environment) {
  Process process(std::move(argv), std::move(environment));
  const auto code = process.Wait(std::chrono::seconds(60));
  return {code.value_or(-1), process.Output()};
}

bool HasProgram(const std::string& name) {
  std::istringstream path(std::getenv("PATH") ? std::getenv("PATH") : "");
  std::string folder;
  while (std::getline(path, folder, ':')) {
    if (::access((folder + "/" + name).c_str(), X_OK) == 0) return true;
  }
  return false;
}

double CpuSeconds(pid_t pid) {
  return (std::stod(StatField(pid, 14)) + std::stod(StatField(pid, 15))) /
         static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double ResidentBytes(pid_t pid) {
  return std::stod(StatField(pid, 24)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

}  // namespace vigia::test
