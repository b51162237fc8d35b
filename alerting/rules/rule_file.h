// Rule files as Prometheus reads them: groups of recording and alerting rules.
//
// Strict: a key that Prometheus does not know, an expression that is not PromQL, or a name that
// no series may have is a fault at its line and column. Plain values once read.

#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/config/diagnostics.h"
#include "core/config/node.h"
#include "core/duration.h"
#include "core/labels.h"
#include "query/promql/syntax/parser.h"

namespace vigia::alerting::rules {

// Names and templates, sorted by name; unlike in Labels a value may be empty, which removes the
// series' own label.
using Templates = std::vector<std::pair<std::string, std::string>>;

// What happens to an alert whose data is missing because its source did not answer. Stands in
// the rule's annotations, so that the file loads unchanged in Prometheus.
enum class NoData {
  kKeep,   // stays as it is
  kOk,     // resolves, as in Prometheus
  kAlert,  // counts as if the condition held
};

struct RuleDefinition {
  enum class Kind { kRecording, kAlerting };

  Kind kind = Kind::kAlerting;
  std::string name;  // of the alert or the recorded series
  promql::ParsedQueryPtr query;
  std::string expression;  // canonical, on one line
  Milliseconds hold{0};    // "for"
  Milliseconds keep_firing_for{0};
  Templates labels;  // the group's among them
  Templates annotations;

  // From the annotations vigia_no_data and vigia_for_tolerance.
  NoData no_data = NoData::kKeep;
  int tolerance = 0;  // evaluations without data that an alert survives

  config::Position position;             // of the rule
  config::Position expression_position;  // of its expression
};
using RuleDefinitionPtr = std::shared_ptr<const RuleDefinition>;

struct GroupDefinition {
  std::string file;
  std::string name;
  std::optional<Milliseconds> interval;
  std::optional<Milliseconds> query_offset;
  std::size_t limit = 0;  // 0 for none
  std::vector<RuleDefinitionPtr> rules;
  config::Position position;

  // Identifies the group over reloads.
  std::string Key() const { return file + ";" + name; }
};

// Reads a file; faults go to `diagnostics`, all of them in one pass, and the groups are then not
// to be used.
std::vector<GroupDefinition> LoadRuleFile(const std::filesystem::path& path,
                                          config::Diagnostics& diagnostics);

// The same for a text. The groups' file is that of `diagnostics`.
std::vector<GroupDefinition> ParseRuleFile(std::string_view text, config::Diagnostics& diagnostics);

// Tells a rule from all others of its group: kind, name and labels. The expression is no part of
// it, so that state survives a change of threshold.
std::string IdentityOf(const RuleDefinition& rule);

}  // namespace vigia::alerting::rules
