// The daemon: everything that `vigia serve` starts, in the order in which it depends on each
// other, stopped in reverse.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vigia::exporter {

class Daemon {
 public:
  // What the command line says; it comes before vigia.yml.
  struct Options {
    std::filesystem::path config;     // empty: defaults
    std::vector<std::string> listen;  // empty: as configured
    std::filesystem::path data_dir;   // empty: as configured
    std::string log_level;            // empty: as configured
  };

  // Runs until SIGTERM or SIGINT; returns the exit code of the process.
  static int Main(const Options& options);
};

}  // namespace vigia::exporter
