// `vigia check FILE...`: what is wrong with configuration files.

#pragma once

#include <string>
#include <vector>

#include "core/config/diagnostics.h"

namespace vigia::exporter::cli {

// The faults of one file. What kind of file it is shows in its content, not in its name: the
// kind whose top-level keys it has most of, or else vigia.yml.
config::Diagnostics CheckFile(const std::string& file);

struct CheckOptions {
  std::vector<std::string> files;
  bool live = false;  // whether rules select series that exist
  std::string url = "http://127.0.0.1:9845";
};

// Prints "FILE: ok", or the faults and findings of each file, one a line; returns the exit code.
int Check(const CheckOptions& options);

}  // namespace vigia::exporter::cli
