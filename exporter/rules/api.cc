#include "exporter/rules/api.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>

#include "alerting/fingerprint.h"
#include "alerting/rules/alerting_rule.h"
#include "core/number.h"
#include "core/text/json.h"
#include "query/promql/memory_source.h"
#include "query/promql/syntax/parser.h"

namespace vigia::exporter {
namespace {

using alerting::rules::AlertingRule;
using alerting::rules::AlertInstance;
using alerting::rules::Group;
using alerting::rules::Rule;
using alerting::rules::RuleDefinition;
using alerting::rules::RuleReport;
using text::JsonWriter;

http::Response BadData(const std::string& what) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Field("status", "error").Field("errorType", "bad_data").Field("error", what);
  json.EndObject();
  return http::Response::Json(400, std::move(body));
}

// time.RFC3339Nano; 0 is Go's zero time.
std::string TimeText(Timestamp time) {
  if (time == 0) return "0001-01-01T00:00:00Z";
  const time_t seconds = static_cast<time_t>(time / 1000);
  tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> buffer{};
  std::size_t length = std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::string out(buffer.data(), length);
  if (const auto rest = time % 1000; rest != 0) {
    length = static_cast<std::size_t>(
        std::snprintf(buffer.data(), buffer.size(), ".%03d", static_cast<int>(rest)));
    out.append(buffer.data(), length);
    while (out.ends_with('0')) out.pop_back();
  }
  return out + "Z";
}

// strconv.FormatFloat(value, 'e', -1, 64).
std::string ValueText(double value) {
  if (!std::isfinite(value)) return FormatDouble(value);
  std::array<char, 40> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::scientific);
  return {buffer.data(), end.ptr};
}

void WriteLabels(JsonWriter& json, const Labels& labels, bool held = false) {
  json.BeginObject();
  for (const auto [name, value] : labels) json.Field(name, value);
  if (held) json.Field("vigia_held", "true");
  json.EndObject();
}

void WriteTemplates(JsonWriter& json, const alerting::rules::Templates& templates) {
  json.BeginObject();
  for (const auto& [name, text] : templates) json.Field(name, text);
  json.EndObject();
}

void WriteAlert(JsonWriter& json, const AlertInstance& alert) {
  json.BeginObject();
  WriteLabels(json.Key("labels"), alert.labels);
  WriteLabels(json.Key("annotations"), alert.annotations, alert.held);
  json.Field("state", Name(alert.state));
  json.Field("activeAt", TimeText(alert.active_at));
  if (alert.keep_firing_since != 0) {
    json.Field("keepFiringSince", TimeText(alert.keep_firing_since));
  }
  json.Field("value", ValueText(alert.value));
  if (alert.held) json.Key("vigia_held").Bool(true);
  json.EndObject();
}

std::string_view HealthText(RuleReport::Health health) {
  switch (health) {
    case RuleReport::Health::kUnknown:
      return "unknown";
    case RuleReport::Health::kOk:
      return "ok";
    case RuleReport::Health::kBad:
      return "err";
  }
  return "";
}

struct Filter {
  bool alerts = true;   // alerting rules
  bool records = true;  // recording rules
  bool instances = true;
  std::vector<std::string> names;
  std::vector<std::string> groups;
  std::vector<std::string> files;
  std::vector<std::vector<Matcher>> matchers;
  std::size_t limit = 0;  // groups in an answer; 0 for all
  std::string token;

  static bool Has(const std::vector<std::string>& list, std::string_view one) {
    return list.empty() || std::find(list.begin(), list.end(), one) != list.end();
  }

  bool Shows(const Rule& rule) const {
    const auto& definition = rule.definition();
    const bool alert = definition.kind == RuleDefinition::Kind::kAlerting;
    if (!(alert ? alerts : records) || !Has(names, definition.name)) return false;
    if (matchers.empty()) return true;
    LabelsBuilder builder;
    for (const auto& [name, text] : definition.labels) builder.Set(name, text);
    const Labels labels = builder.Build();
    return std::any_of(matchers.begin(), matchers.end(),
                       [&](const auto& set) { return promql::Fits(labels, set); });
  }
};

std::optional<bool> ParseFlag(std::string_view text) {
  static constexpr std::array<std::string_view, 6> kTrue{"1", "t", "T", "true", "TRUE", "True"};
  static constexpr std::array<std::string_view, 7> kFalse{"",      "0",     "f",    "F",
                                                          "false", "FALSE", "False"};
  if (std::find(kTrue.begin(), kTrue.end(), text) != kTrue.end()) return true;
  if (std::find(kFalse.begin(), kFalse.end(), text) != kFalse.end()) return false;
  return std::nullopt;
}

std::string Invalid(std::string_view parameter, std::string_view why) {
  return "invalid parameter \"" + std::string(parameter) + "\": " + std::string(why);
}

// Empty, or what is wrong.
std::string ReadPaging(const http::Request& request, Filter& filter) {
  filter.token = request.Parameter("group_next_token");
  const auto limit = request.Parameter("group_limit");
  if (limit.empty()) {
    return filter.token.empty()
               ? std::string()
               : Invalid("group_limit",
                         "group_limit needs to be set in order to paginate over the groups");
  }
  const auto number = ParseInt(limit);
  if (!number || *number <= 0) {
    return Invalid("group_limit", "group_limit needs to be a valid number greater than 0");
  }
  filter.limit = static_cast<std::size_t>(*number);
  return {};
}

// Empty, or what is wrong.
std::string ReadFilter(const http::Request& request, Filter& filter) {
  const auto type = request.Parameter("type");
  if (!type.empty() && type != "alert" && type != "record") {
    return Invalid("type", "not supported value \"" + std::string(type) + "\"");
  }
  filter.alerts = type != "record";
  filter.records = type != "alert";
  const auto exclude = ParseFlag(request.Parameter("exclude_alerts"));
  if (!exclude) return Invalid("exclude_alerts", "it has to be true or false");
  filter.instances = !*exclude;
  filter.names = request.ParameterList("rule_name[]");
  filter.groups = request.ParameterList("rule_group[]");
  filter.files = request.ParameterList("file[]");
  for (const auto& selector : request.ParameterList("match[]")) {
    auto matchers = promql::ParseSelector(selector);
    if (!matchers) return Invalid("match[]", matchers.error().message);
    filter.matchers.push_back(*std::move(matchers));
  }
  return ReadPaging(request, filter);
}

void WriteRule(JsonWriter& json, const Rule& rule, bool instances, DeadRules& dead) {
  const auto& definition = rule.definition();
  const auto report = rule.report();
  json.BeginObject();
  const auto* alerting = dynamic_cast<const AlertingRule*>(&rule);
  if (alerting) json.Field("state", Name(alerting->state()));
  json.Field("name", definition.name).Field("query", definition.expression);
  if (alerting) {
    json.Key("duration").Number(static_cast<double>(definition.hold.count()) / 1000);
    json.Key("keepFiringFor")
        .Number(static_cast<double>(definition.keep_firing_for.count()) / 1000);
  }
  if (alerting || !definition.labels.empty()) {
    WriteTemplates(json.Key("labels"), definition.labels);
  }
  if (alerting) {
    WriteTemplates(json.Key("annotations"), definition.annotations);
    json.Key("alerts").BeginArray();
    if (instances) {
      for (const auto& alert : alerting->Active()) WriteAlert(json, alert);
    }
    json.EndArray();
  }
  json.Field("health", HealthText(report.health));
  if (!report.last_error.empty()) json.Field("lastError", report.last_error);
  json.Key("evaluationTime").Number(report.evaluation_seconds);
  json.Field("lastEvaluation", TimeText(report.last_evaluation));
  json.Field("type", alerting ? "alerting" : "recording");
  if (dead.Contains(*definition.query)) json.Key("dead").Bool(true);
  json.EndObject();
}

void WriteGroup(JsonWriter& json, const Group& group, const std::vector<const Rule*>& rules,
                bool instances, DeadRules& dead) {
  const auto report = group.report();
  json.BeginObject();
  json.Field("name", group.definition().name).Field("file", group.definition().file);
  json.Key("rules").BeginArray();
  for (const auto* rule : rules) WriteRule(json, *rule, instances, dead);
  json.EndArray();
  json.Key("interval").Number(static_cast<double>(group.interval().count()) / 1000);
  json.Key("limit").Integer(static_cast<std::int64_t>(group.definition().limit));
  json.Key("evaluationTime").Number(report.evaluation_seconds);
  json.Field("lastEvaluation", TimeText(report.last_evaluation));
  json.EndObject();
}

// Where the next page begins; opaque to clients.
std::string TokenOf(const Group& group) {
  return alerting::FingerprintText(alerting::Fingerprint(
      Labels({{"file", group.definition().file}, {"group", group.definition().name}})));
}

void BeginData(JsonWriter& json) {
  json.BeginObject().Field("status", "success").Key("data").BeginObject();
}

}  // namespace

http::Response RulesAnswer(const http::Request& request, const RuleGroups& all, DeadRules& dead) {
  Filter filter;
  if (auto wrong = ReadFilter(request, filter); !wrong.empty()) return BadData(wrong);
  RuleGroups groups = all;
  std::sort(groups.begin(), groups.end(),
            [](const auto& a, const auto& b) { return a->key() < b->key(); });
  std::string body;
  JsonWriter json(body);
  BeginData(json);
  json.Key("groups").BeginArray();
  bool begun = filter.token.empty();
  std::size_t shown = 0;
  std::string next;
  for (const auto& group : groups) {
    begun = begun || TokenOf(*group) == filter.token;
    if (!begun || !Filter::Has(filter.groups, group->definition().name) ||
        !Filter::Has(filter.files, group->definition().file)) {
      continue;
    }
    std::vector<const Rule*> rules;
    for (const auto& rule : group->rules()) {
      if (filter.Shows(*rule)) rules.push_back(rule.get());
    }
    if (rules.empty()) continue;
    if (filter.limit > 0 && shown == filter.limit) {
      next = TokenOf(*group);
      break;
    }
    WriteGroup(json, *group, rules, filter.instances, dead);
    ++shown;
  }
  if (!begun) {
    return BadData(Invalid("group_next_token", "invalid group_next_token '" + filter.token +
                                                   "'. were rule groups changed?"));
  }
  json.EndArray();
  if (!next.empty()) json.Field("groupNextToken", next);
  json.EndObject().EndObject();
  return http::Response::Json(200, std::move(body));
}

http::Response AlertsAnswer(const RuleGroups& groups) {
  std::string body;
  JsonWriter json(body);
  BeginData(json);
  json.Key("alerts").BeginArray();
  for (const auto& group : groups) {
    for (const auto& rule : group->rules()) {
      const auto* alerting = dynamic_cast<const AlertingRule*>(rule.get());
      if (!alerting) continue;
      for (const auto& alert : alerting->Active()) WriteAlert(json, alert);
    }
  }
  json.EndArray().EndObject().EndObject();
  return http::Response::Json(200, std::move(body));
}

}  // namespace vigia::exporter
