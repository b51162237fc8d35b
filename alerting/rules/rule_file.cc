#include "alerting/rules/rule_file.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "alerting/templates/rule_template.h"
#include "core/config/reader.h"
#include "core/config/yaml.h"
#include "core/number.h"
#include "core/text/utf8.h"
#include "query/promql/syntax/printer.h"

namespace vigia::alerting::rules {
namespace {

using config::Diagnostics;
using config::MapReader;
using config::Node;

constexpr config::YamlLimits kLimits{.max_bytes = std::size_t{64} << 20, .max_nodes = 4'000'000};

// Of a key that is not there, or says nothing.
void FaultOfEmpty(MapReader& map, std::string_view key, const char* why) {
  if (map.Has(key)) {
    map.Fault(key, why);
  } else {
    map.Require(key, why);
  }
}

// A duration that may be zero, or left empty. Returns whether it is there and well-formed.
bool ReadDuration(MapReader& map, std::string_view key, Milliseconds& out) {
  const Node* node = map.Child(key);
  if (!node || node->IsNull()) return false;
  std::string text;
  if (!map.Read(key, text)) return false;
  const auto duration = ParseDuration(text);
  if (!duration) {
    map.diagnostics().Add(node->position, duration.error().In(key).message());
    return false;
  }
  out = *duration;
  return true;
}

// Templates by name. A nested map or list is a fault.
Templates ReadTemplates(MapReader& map, std::string_view key) {
  Templates out;
  const Node* node = map.Child(key);
  if (!node || node->IsNull()) return out;
  if (!node->IsMap()) {
    map.Fault(key, std::string(key) + " has to be a map of names and texts");
    return out;
  }
  for (const auto& [name, value] : node->entries) {
    if (name.text.empty() || !text::IsUtf8(name.text) ||
        (key == "labels" && name.text == kMetricName)) {
      map.diagnostics().Add(name.position, "'" + name.text + "' is not a name that one of the " +
                                               std::string(key) + " may have");
    } else if (value.IsMap() || value.IsList()) {
      map.diagnostics().Add(value.position, name.text + " has to be a text");
    } else {
      out.emplace_back(name.text, value.text);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Templates that do not parse are faults, at their place.
void CheckTemplates(MapReader& map, std::string_view key, const std::string& alert) {
  const Node* node = map.node().Find(key);
  if (!node || !node->IsMap()) return;
  for (const auto& [name, value] : node->entries) {
    if (value.text.find("{{") == value.text.npos) continue;
    const auto parsed = templates::RuleTemplate::Parse("__alert_" + alert, value.text);
    if (!parsed) map.diagnostics().Add(value.position, parsed.error().In(name.text).message());
  }
}

// Where `range` of the expression stands in the file: exact for an expression on one line.
config::Position Within(const Node& node, std::string_view expression, int offset) {
  const auto before = expression.substr(0, static_cast<std::size_t>(offset));
  if (node.position.line == 0 || before.find('\n') != before.npos || node.quoted) {
    return node.position;
  }
  return {node.position.line, node.position.column + offset};
}

void ReadExpression(MapReader& map, RuleDefinition& rule) {
  std::string text;
  const Node* node = map.node().Find("expr");
  if (!map.Read("expr", text) || text.find_first_not_of(" \t\n") == text.npos) {
    if (!node) map.Require("expr", "the PromQL to evaluate");
    if (node && node->IsScalar()) map.Fault("expr", "is empty; write the PromQL to evaluate");
    return;
  }
  rule.expression_position = node->position;
  auto query = promql::Parse(text);
  if (!query) {
    map.diagnostics().Add(node->position, "could not parse expression: " + query.error().message);
    return;
  }
  const auto type = (*query)->root().type;
  if (type == promql::ValueType::kMatrix || type == promql::ValueType::kString) {
    map.diagnostics().Add(Within(*node, text, (*query)->root().range.start),
                          "a rule has to give an instant vector or a scalar, not a " +
                              std::string(promql::DocumentedName(type)));
    return;
  }
  rule.query = *std::move(query);
  rule.expression = promql::ToString(rule.query->root());
}

void ReadPolicy(MapReader& map, RuleDefinition& rule) {
  static constexpr std::array<std::string_view, 3> kWords{"keep", "ok", "alert"};
  for (const auto& [name, value] : rule.annotations) {
    if (name == "vigia_no_data") {
      const auto word = std::find(kWords.begin(), kWords.end(), value);
      if (word == kWords.end()) {
        map.Fault("annotations", "vigia_no_data has to be keep, ok or alert, not '" + value + "'");
      } else {
        rule.no_data = static_cast<NoData>(word - kWords.begin());
      }
    } else if (name == "vigia_for_tolerance") {
      const auto count = ParseUint(value);
      if (!count || *count > 1000) {
        map.Fault("annotations",
                  "vigia_for_tolerance has to be a number of evaluations, not '" + value + "'");
      } else {
        rule.tolerance = static_cast<int>(*count);
      }
    }
  }
}

bool IsMetricName(std::string_view name) { return !name.empty() && text::IsUtf8(name); }

void ReadName(MapReader& map, RuleDefinition& rule) {
  std::string record;
  std::string alert;
  map.Read("record", record);
  map.Read("alert", alert);
  if (!record.empty() && !alert.empty()) {
    map.Fault("alert", "only one of 'record' and 'alert' must be set");
  } else if (record.empty() && alert.empty()) {
    constexpr const char* kOne = "one of 'record' or 'alert' must be set";
    if (map.Has("record") && !map.Has("alert")) {
      map.Fault("record", kOne);
    } else {
      FaultOfEmpty(map, "alert", kOne);
    }
  }
  rule.kind = record.empty() ? RuleDefinition::Kind::kAlerting : RuleDefinition::Kind::kRecording;
  rule.name = record.empty() ? alert : record;
  if (record.empty()) return;
  if (!IsMetricName(record)) {
    map.Fault("record", "invalid recording rule name: " + record);
  } else if (record.find_first_of("{}") != record.npos) {
    map.Fault("record",
              "braces present in the recording rule name; should it be in expr?: " + record);
  }
}

RuleDefinition ReadRule(const Node& node, const Templates& group_labels, Diagnostics& diagnostics) {
  MapReader map(node, diagnostics, "rule");
  RuleDefinition rule;
  rule.position = node.position;
  ReadName(map, rule);
  ReadExpression(map, rule);
  ReadDuration(map, "for", rule.hold);
  ReadDuration(map, "keep_firing_for", rule.keep_firing_for);
  rule.labels = ReadTemplates(map, "labels");
  rule.annotations = ReadTemplates(map, "annotations");
  if (rule.kind == RuleDefinition::Kind::kAlerting) {
    CheckTemplates(map, "labels", rule.name);
    CheckTemplates(map, "annotations", rule.name);
  }
  map.Finish();
  ReadPolicy(map, rule);
  if (rule.kind == RuleDefinition::Kind::kRecording) {
    if (!rule.annotations.empty()) map.Fault("annotations", "a recording rule has no annotations");
    if (rule.hold.count() != 0) map.Fault("for", "a recording rule has no 'for'");
    if (rule.keep_firing_for.count() != 0) {
      map.Fault("keep_firing_for", "a recording rule has no 'keep_firing_for'");
    }
  }
  // The rule's own label comes before the group's.
  for (const auto& label : group_labels) {
    const auto at =
        std::lower_bound(rule.labels.begin(), rule.labels.end(), label,
                         [](const auto& a, const auto& b) { return a.first < b.first; });
    if (at == rule.labels.end() || at->first != label.first) rule.labels.insert(at, label);
  }
  return rule;
}

GroupDefinition ReadGroup(const Node& node, Diagnostics& diagnostics) {
  MapReader map(node, diagnostics, "group");
  GroupDefinition group;
  group.file = diagnostics.file();
  group.position = node.position;
  if (!map.Read("name", group.name) || group.name.empty()) {
    constexpr const char* kName = "the group's name, unique in its file";
    FaultOfEmpty(map, "name", kName);
  }
  Milliseconds duration{0};
  if (ReadDuration(map, "interval", duration) && duration.count() > 0) group.interval = duration;
  if (ReadDuration(map, "query_offset", duration)) group.query_offset = duration;
  std::int64_t limit = 0;
  map.Read("limit", limit, 0);
  group.limit = static_cast<std::size_t>(limit);
  const Templates labels = ReadTemplates(map, "labels");
  const Node* rules = map.Child("rules");
  map.Finish();
  if (!rules || rules->IsNull()) return group;
  if (!rules->IsList()) {
    map.Fault("rules", "rules has to be a list");
    return group;
  }
  for (const auto& rule : rules->items) {
    group.rules.push_back(
        std::make_shared<const RuleDefinition>(ReadRule(rule, labels, diagnostics)));
  }
  return group;
}

std::vector<GroupDefinition> ReadGroups(const Node& root, Diagnostics& diagnostics) {
  std::vector<GroupDefinition> groups;
  MapReader map(root, diagnostics, "rule file");
  const Node* list = map.Child("groups");
  map.Finish();
  if (!list || list->IsNull()) return groups;
  if (!list->IsList()) {
    map.Fault("groups", "groups has to be a list");
    return groups;
  }
  std::set<std::string> names;
  for (const auto& node : list->items) {
    groups.push_back(ReadGroup(node, diagnostics));
    if (!groups.back().name.empty() && !names.insert(groups.back().name).second) {
      diagnostics.Add(node.position,
                      "groupname: \"" + groups.back().name + "\" is repeated in the same file");
    }
  }
  return groups;
}

}  // namespace

std::vector<GroupDefinition> LoadRuleFile(const std::filesystem::path& path,
                                          Diagnostics& diagnostics) {
  const Node root = config::LoadYaml(path, {.limits = kLimits}, diagnostics);
  if (!diagnostics.ok() && root.IsNull()) return {};
  return ReadGroups(root, diagnostics);
}

std::vector<GroupDefinition> ParseRuleFile(std::string_view text, Diagnostics& diagnostics) {
  const Node root = config::ParseYaml(text, {.limits = kLimits}, diagnostics);
  if (!diagnostics.ok() && root.IsNull()) return {};
  return ReadGroups(root, diagnostics);
}

std::string IdentityOf(const RuleDefinition& rule) {
  std::string out(rule.kind == RuleDefinition::Kind::kRecording ? "record" : "alert");
  out += '\n' + rule.name;
  for (const auto& [name, value] : rule.labels) {
    out += '\n' + std::to_string(name.size()) + ':' + name + '=' + value;
  }
  return out;
}

}  // namespace vigia::alerting::rules
