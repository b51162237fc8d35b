// Tables of /proc with a column for each CPU: interrupts, softirqs.

#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "collectors/host/text.h"

namespace vigia::collectors::host {

// The numbers in a heading "CPU0 CPU2"; nothing if it is not one.
inline std::optional<std::vector<std::string_view>> ParseCpuColumns(std::string_view heading) {
  std::vector<std::string_view> cpus;
  Fields words(heading);
  for (auto word = words.Next(); !word.empty(); word = words.Next()) {
    if (!word.starts_with("CPU") || !ParseNumber(word.substr(3))) return std::nullopt;
    cpus.push_back(word.substr(3));
  }
  if (cpus.empty()) return std::nullopt;
  return cpus;
}

}  // namespace vigia::collectors::host
