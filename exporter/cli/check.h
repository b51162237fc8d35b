// `vigia check FILE...`: what is wrong with configuration files.

#pragma once

#include <string>
#include <vector>

namespace vigia::exporter::cli {

// Prints "FILE: ok" or the faults of each file, one a line; returns the exit code.
int Check(const std::vector<std::string>& files);

}  // namespace vigia::exporter::cli
