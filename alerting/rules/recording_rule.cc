#include "alerting/rules/recording_rule.h"

#include <unordered_set>

namespace vigia::alerting::rules {

void RecordingRule::TakeOver(Rule&) {}

Labels RecordingRule::Output(const Labels& result) const {
  LabelsBuilder builder(result);
  builder.Set(kMetricName, definition().name);
  for (const auto& [name, value] : definition().labels) builder.Set(name, value);
  return builder.Build();
}

Result<Rule::Entries> RecordingRule::Evaluate(const Environment& environment,
                                              const Evaluation& at) {
  environment_ = &environment;
  at_ = at;
  auto result = Query(environment, at);
  if (!result) return Fail(result.error());
  std::unordered_map<Labels, Labels> outputs;
  outputs.reserve(result->size());
  Entries entries;
  entries.reserve(result->size());
  std::unordered_set<Labels> seen;
  seen.reserve(result->size());
  for (auto& sample : *result) {
    const auto known = outputs_.find(sample.labels);
    Labels labels = known != outputs_.end() ? known->second : Output(sample.labels);
    if (!seen.insert(labels).second) {
      return Fail(ErrorCode::kInvalid,
                  "vector contains metrics with the same labelset after applying rule labels");
    }
    entries.push_back({labels, {at.data_time, sample.value}});
    outputs.emplace(std::move(sample.labels), std::move(labels));
  }
  outputs_ = std::move(outputs);
  if (at.limit > 0 && entries.size() > at.limit) {
    return Fail(ErrorCode::kInvalid, "exceeded limit of " + std::to_string(at.limit) + " with " +
                                         std::to_string(entries.size()) + " series");
  }
  return entries;
}

// An alert on a recorded series has to hear that its data is unknown, too.
double RecordingRule::MarkerOf(const Labels& vanished) {
  DataStates* states = States(*environment_, at_);
  if (!states) return UnknownMarker();
  if (!states->AnyUnknown()) return GoneMarker();
  const bool unknown = states->Of(vanished, overridden()) == DataState::kUnknown;
  return unknown ? UnknownMarker() : GoneMarker();
}

}  // namespace vigia::alerting::rules
