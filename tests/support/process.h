// A program that a test runs: its output is kept, and it is ended with the test.

#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/temp_dir.h"

namespace vigia::test {

class Process {
 public:
  // argv[0] is searched in PATH. Standard output and error go to one file.
  explicit Process(std::vector<std::string> argv,
                   std::map<std::string, std::string> environment = {});
  // Kills it if it still runs.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  // The exit code, or 128 + the signal that ended it; nothing if it still runs after `timeout`.
  std::optional<int> Wait(std::chrono::milliseconds timeout = std::chrono::seconds(30));

  // What it has printed so far.
  std::string Output() const;
  // Waits until the output has `text`; false if it has not by `timeout`, or once the program ended.
  bool AwaitOutput(const std::string& text,
                   std::chrono::milliseconds timeout = std::chrono::seconds(30));

 private:
  bool Reap(bool block);

  TempDir dir_;
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
};

// The output and exit code of a program that ends by itself within 60 s.
struct Finished {
  int exit_code = -1;
  std::string output;
};
Finished RunProgram(std::vector<std::string> argv,
                    std::map<std::string, std::string> environment = {});

// Whether a program is in PATH.
bool HasProgram(const std::string& name);

// CPU time of a process so far, user and system, in seconds.
double CpuSeconds(pid_t pid);
// Resident memory of a process in bytes.
double ResidentBytes(pid_t pid);

}  // namespace vigia::test
