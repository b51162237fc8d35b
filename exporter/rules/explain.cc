#include "exporter/rules/explain.h"

#include "core/number.h"
#include "core/text/json.h"
#include "exporter/routing/text.h"

namespace vigia::exporter {
namespace {

namespace explain = alerting::explain;
namespace rules = alerting::rules;
using routing::TimeText;
using routing::WriteLabels;
using text::JsonWriter;

// Each costs a query per part of its expression.
constexpr std::size_t kMostRules = 10;

void WriteActive(JsonWriter& json, const rules::RuleDefinition& rule,
                 const rules::AlertInstance& alert, Timestamp now) {
  json.BeginObject().Key("labels");
  WriteLabels(json, alert.labels);
  json.Field("state", Name(alert.state)).Field("value", FormatDouble(alert.value));
  json.Field("active_since", TimeText(alert.active_at));
  if (alert.fired_at != 0) json.Field("firing_since", TimeText(alert.fired_at));
  if (alert.state == rules::AlertState::kPending) {
    json.Field("for_left", FormatDuration(explain::HoldLeft(rule, alert, now)));
  }
  if (alert.keep_firing_since != 0) {
    json.Field("condition_false_since", TimeText(alert.keep_firing_since));
  }
  json.Key("held").Bool(alert.held);
  if (alert.held) json.Key("evaluations_without_data").Integer(alert.missed);
  json.EndObject();
}

void WriteFinding(JsonWriter& json, const explain::Finding& finding) {
  json.BeginObject().Field("part", finding.expression).Field("kind", Name(finding.kind));
  json.Field("text", finding.text);
  json.Key("series").Integer(static_cast<std::int64_t>(finding.series));
  if (!finding.readings.empty()) {
    json.Key("samples").BeginArray();
    for (const auto& reading : finding.readings) {
      json.BeginObject().Key("labels");
      WriteLabels(json, reading.labels);
      json.Field("value", FormatDouble(reading.value)).Field("time", TimeText(reading.time));
      json.EndObject();
    }
    json.EndArray();
  }
  if (!finding.compared.empty()) {
    json.Field("operator", finding.op).Key("compared").BeginArray();
    for (const auto& one : finding.compared) {
      json.BeginObject().Key("labels");
      WriteLabels(json, one.labels);
      json.Field("left", FormatDouble(one.left)).Field("right", FormatDouble(one.right));
      json.Key("holds").Bool(one.holds).Field("by", FormatDouble(one.by())).EndObject();
    }
    json.EndArray();
  }
  if (!finding.emptied_by.empty()) {
    json.Key("emptied_by").BeginArray();
    for (const auto& emptier : finding.emptied_by) {
      json.BeginObject().Field("matcher", emptier.matcher);
      json.Key("series_without_it").Integer(static_cast<std::int64_t>(emptier.series));
      json.Key("values").BeginArray();
      for (const auto& value : emptier.values) json.String(value);
      json.EndArray().EndObject();
    }
    json.EndArray();
  }
  json.EndObject();
}

void WriteRule(JsonWriter& json, const rules::Group& group, const rules::AlertingRule& rule,
               const explain::RuleExplanation& why, Timestamp now) {
  const auto& definition = rule.definition();
  json.BeginObject().Field("alert", definition.name).Field("verdict", why.verdict);
  json.Field("state", Name(why.state)).Field("expression", definition.expression);
  json.Field("for", FormatDuration(definition.hold));
  json.Field("keep_firing_for", FormatDuration(definition.keep_firing_for));
  json.Field("group", group.definition().name).Field("file", group.definition().file);
  json.Field("interval", FormatDuration(group.interval()))
      .Field("evaluated_at", TimeText(why.time));
  json.Key("result_series").Integer(static_cast<std::int64_t>(why.expression.series));
  json.Key("active").Integer(static_cast<std::int64_t>(why.active_count));
  json.Key("alerts").BeginArray();
  for (const auto& alert : why.active) WriteActive(json, definition, alert, now);
  json.EndArray().Key("parts").BeginArray();
  for (const auto& finding : why.expression.findings) WriteFinding(json, finding);
  json.EndArray().Key("complete").Bool(why.expression.complete);
  json.EndObject();
}

}  // namespace

std::string RulesExplained(const ExplainRules& from, const alerting::route::Matchers& matchers) {
  std::string out;
  JsonWriter json(out);
  json.BeginArray();
  std::size_t count = 0;
  for (const auto& group : from.groups) {
    for (const auto& rule : group->rules()) {
      const auto* alerting = dynamic_cast<const rules::AlertingRule*>(rule.get());
      if (!alerting || !explain::CanFit(rule->definition(), matchers)) continue;
      if (++count > kMostRules) continue;
      const auto why = explain::ExplainRule(
          *group, *alerting,
          {.source = from.source, .engine = from.engine, .time = from.now, .about = matchers},
          from.now);
      WriteRule(json, *group, *alerting, why, from.now);
    }
  }
  json.EndArray();
  return out;
}

}  // namespace vigia::exporter
