#include "alerting/rules/rule.h"

#include "alerting/rules/alerting_rule.h"
#include "alerting/rules/recording_rule.h"

namespace vigia::alerting::rules {

Rule::Rule(RuleDefinitionPtr definition) : definition_(std::move(definition)) {
  overridden_.emplace("alertname");
  for (const auto& [name, value] : definition_->labels) overridden_.insert(name);
}

RuleReport Rule::report() const {
  const std::lock_guard lock(report_mutex_);
  return report_;
}

void Rule::SetReport(RuleReport report) {
  const std::lock_guard lock(report_mutex_);
  report_ = std::move(report);
}

Result<promql::InstantVector> Rule::Query(const Environment& environment, const Evaluation& at) {
  ForgetStates();
  auto answer = environment.engine.Instant(environment.source, *definition_->query, at.data_time,
                                           {.shared = environment.shared});
  if (!answer) return Fail(ErrorCode::kUnavailable, answer.error().message);
  samples_read_ = answer->stats.samples_read;
  promql::InstantVector vector;
  if (auto* result = std::get_if<promql::InstantVector>(&answer->value)) {
    vector = std::move(*result);
  } else if (const auto* scalar = std::get_if<promql::ScalarValue>(&answer->value)) {
    vector.push_back({Labels(), scalar->time, scalar->value});
  } else {
    return Fail(ErrorCode::kInvalid, "rule result is not a vector or scalar");
  }
  samples_ = vector.size();
  return vector;
}

DataStates* Rule::States(const Environment& environment, const Evaluation& at) {
  if (!states_) {
    auto states = DataStates::Read(environment.source, *definition_->query,
                                   {.time = at.data_time,
                                    .lookback = environment.engine.options().lookback.count(),
                                    .started = environment.started,
                                    .stopped = environment.stopped});
    if (!states) return nullptr;
    states_ = *std::move(states);
  }
  return &*states_;
}

std::unique_ptr<Rule> MakeRule(RuleDefinitionPtr definition) {
  if (definition->kind == RuleDefinition::Kind::kRecording) {
    return std::make_unique<RecordingRule>(std::move(definition));
  }
  return std::make_unique<AlertingRule>(std::move(definition));
}

}  // namespace vigia::alerting::rules
