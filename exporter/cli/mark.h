// `vigia mark`: declares a deploy, or maintenance, to a running vigia.

#pragma once

#include <string>

namespace vigia::exporter::cli {

struct MarkOptions {
  std::string url;
  std::string type;  // deploy or maintenance
  std::string version;
  std::string text;
  std::string time;     // when it began; empty: now
  std::string end;      // of maintenance; or
  std::string lasting;  // how long it takes
};

// Prints what was declared, and returns the exit code.
int Mark(const MarkOptions& options);

}  // namespace vigia::exporter::cli
