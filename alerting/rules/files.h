// Rule files by pattern.

#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "alerting/rules/rule_file.h"

namespace vigia::alerting::rules {

// The files that fit `pattern` (*, ?, [abc]), sorted; relative patterns are taken from `folder`.
std::vector<std::filesystem::path> FindFiles(const std::string& pattern,
                                             const std::filesystem::path& folder);

struct LoadedFiles {
  std::vector<GroupDefinition> groups;
  std::vector<std::string> faults;     // lines: file:line:column: what
  std::vector<std::string> unmatched;  // patterns that no file fits
};

// Reads every file that fits one of the patterns, once.
LoadedFiles LoadRuleFiles(std::span<const std::string> patterns,
                          const std::filesystem::path& folder);

}  // namespace vigia::alerting::rules
