// Inhibition rules: while a source alert fires, target alerts with the same values of the `equal`
// labels are not notified of. Immutable once read; thread-safe.

#pragma once

#include <string>
#include <vector>

#include "alerting/route/matcher.h"
#include "core/config/diagnostics.h"
#include "core/config/node.h"

namespace vigia::alerting::route {

struct InhibitRule {
  std::string name;  // optional
  Matchers source;
  Matchers target;
  std::vector<std::string> equal;

  bool IsSource(const Labels& labels) const { return MatchesAll(source, labels); }
  bool IsTarget(const Labels& labels) const { return MatchesAll(target, labels); }
  // The same text for alerts that are equal in `equal`; a missing label counts as empty.
  std::string EqualKey(const Labels& labels) const;
};

// Reads one item of `inhibit_rules`.
InhibitRule ReadInhibitRule(const config::Node& node, config::Diagnostics& diagnostics);

}  // namespace vigia::alerting::route
