#include "alerting/rules/bundled.h"

#include <cassert>
#include <iterator>

namespace vigia::alerting::rules {
namespace {

#include "bundled_rules.inc"

}  // namespace

std::span<const BundledFile> BundledFiles() { return kBundled; }

std::vector<GroupDefinition> BundledGroups() {
  std::vector<GroupDefinition> out;
  for (const auto& [name, text] : kBundled) {
    config::Diagnostics diagnostics("bundled/" + std::string(name));
    auto groups = ParseRuleFile(text, diagnostics);
    assert(diagnostics.ok());  // a test reads them all
    out.insert(out.end(), std::make_move_iterator(groups.begin()),
               std::make_move_iterator(groups.end()));
  }
  return out;
}

}  // namespace vigia::alerting::rules
