// `vigia backtest RULES`: which alerts would have fired over the past, and how many messages each
// receiver would have got.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/duration.h"

namespace vigia::exporter::cli {

struct BacktestCommand {
  std::vector<std::string> files;
  std::string since = "24h";  // how far back from `until`
  std::string until;          // RFC 3339 or Unix seconds; empty: now
  std::string step = "1m";
  std::string url = "http://127.0.0.1:9845";  // a vigia or a Prometheus that has the samples
  std::filesystem::path data_dir;             // of a vigia that is not running; comes before url
  std::filesystem::path config;  // whose routing counts the messages; empty: vigia's own
  bool json = false;
};

// Returns the exit code; incidents are no error.
int RunBacktestCommand(const BacktestCommand& command);

}  // namespace vigia::exporter::cli
