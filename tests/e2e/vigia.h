// A running vigia: the real program on a free port, with a configuration and a data folder of
// its own.

#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/http_client.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace vigia::test {

// The path of the program that was built with this test.
std::string VigiaProgram();

class Vigia {
 public:
  struct Options {
    std::string config = {};                        // vigia.yml; empty: none
    std::vector<std::string> flags = {};            // further ones
    std::map<std::string, std::string> files = {};  // written beside vigia.yml before the start
    std::map<std::string, std::string> environment = {};
    std::string data_dir = {};  // empty: one of its own, which ends with it
    std::string program = VigiaProgram();
  };

  // Starts it and waits until it answers; throws if it does not.
  explicit Vigia(const Options& options);
  Vigia() : Vigia(Options{}) {}

  int port() const { return port_; }
  Process& process() { return *process_; }
  const Process& process() const { return *process_; }
  // The folder of vigia.yml.
  const TempDir& dir() const { return dir_; }

  HttpAnswer Get(const std::string& path, std::map<std::string, std::string> headers = {}) const {
    return test::Get(port_, path, std::move(headers));
  }
  // /metrics, or one series of it as text ("" if it is not there).
  std::string Metrics(const std::string& query = {}) const;
  std::string Value(const std::string& series) const;
  // Scrapes until `series` has `value`, for at most 30 s.
  bool AwaitValue(const std::string& series, const std::string& value) const;

  void WriteConfig(const std::string& text) const { dir_.Write("vigia.yml", text); }

 private:
  TempDir dir_;
  std::unique_ptr<Process> process_;
  int port_ = 0;
};

// The value of `series` ("name{labels}") in a page; empty if it is not there.
std::string FindValue(const std::string& page, const std::string& series);

}  // namespace vigia::test
