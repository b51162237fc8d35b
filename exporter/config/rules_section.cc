// The sections of vigia.yml about rules.

#include "alerting/rules/bundled.h"
#include "alerting/rules/files.h"
#include "exporter/config/section.h"

namespace vigia::exporter {
namespace {

namespace rules = alerting::rules;

// Stands for the rules that come with vigia.
constexpr std::string_view kBundled = "bundled";

void Append(std::vector<rules::GroupDefinition>& groups, std::vector<rules::GroupDefinition> more) {
  groups.insert(groups.end(), std::make_move_iterator(more.begin()),
                std::make_move_iterator(more.end()));
}

}  // namespace

// Without the section the bundled rules are evaluated, unless nothing is watched that they could
// judge; `rules: []` evaluates none.
void ReadRules(SectionInput& input, Config& config) {
  std::vector<std::string> patterns;
  if (!input.file.Has("rules") && !input.WatchesNothing()) patterns.emplace_back(kBundled);
  input.file.Read("rules", patterns);
  for (const auto& pattern : patterns) {
    if (pattern == kBundled) {
      Append(config.rules.groups, rules::BundledGroups());
      continue;
    }
    auto loaded = rules::LoadRuleFiles(std::span(&pattern, 1), input.folder);
    for (const auto& fault : loaded.faults) input.file.Fault("rules", fault);
    // A pattern may fit nothing yet; a name has to be there.
    if (!loaded.unmatched.empty() && pattern.find_first_of("*?[") == pattern.npos) {
      input.file.Fault("rules", pattern + ": no such file");
    }
    Append(config.rules.groups, std::move(loaded.groups));
  }
}

void ReadEvaluationInterval(SectionInput& input, Config& config) {
  input.file.Read("evaluation_interval", config.rules.interval);
}

}  // namespace vigia::exporter
