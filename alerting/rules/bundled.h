// The rules that come with vigia, as they stand in rules/*.yml.

#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "alerting/rules/rule_file.h"

namespace vigia::alerting::rules {

struct BundledFile {
  std::string_view name;
  std::string_view text;
};

std::span<const BundledFile> BundledFiles();

// Their groups; the file is called "bundled/<name>".
std::vector<GroupDefinition> BundledGroups();

}  // namespace vigia::alerting::rules
