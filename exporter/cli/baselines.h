// `vigia baseline show|accept|undo|reset|export|import`: the baselines of a running vigia.

#pragma once

#include <string>

namespace vigia::exporter::cli {

// Prints the series of a baseline, or of all for an empty name: the furthest from normal first.
int ShowBaseline(const std::string& url, const std::string& name);

// `decision` is accept, undo or reset; `matchers` choose series, all if empty.
int DecideBaseline(const std::string& url, const std::string& decision, const std::string& name,
                   const std::string& matchers);

struct BaselineFile {
  std::string url;
  std::string file;      // "-" for stdin and stdout
  std::string name;      // of a baseline; empty for all
  std::string matchers;  // of series; empty for all
  bool force = false;
  bool check = false;
};

// Writes what has been learnt to a file.
int ExportBaselines(const BaselineFile& options);

// Takes over what a file has. kExitFindings where something of it was left out; nothing is taken
// from a file that is not sound.
int ImportBaselines(const BaselineFile& options);

}  // namespace vigia::exporter::cli
