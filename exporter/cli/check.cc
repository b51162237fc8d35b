#include "exporter/cli/check.h"

#include <cstdio>

#include "exporter/cli/exit.h"
#include "exporter/config/config.h"

namespace vigia::exporter::cli {

int Check(const std::vector<std::string>& files) {
  int code = kExitFine;
  for (const auto& file : files) {
    config::Diagnostics diagnostics(file);
    LoadConfig(file, diagnostics);
    if (diagnostics.ok()) {
      std::printf("%s: ok\n", file.c_str());
    } else {
      std::fputs(diagnostics.ToString().c_str(), stdout);
      code = kExitError;
    }
  }
  return code;
}

}  // namespace vigia::exporter::cli
