#include "alerting/rules/alerting_rule.h"

#include <algorithm>
#include <utility>

namespace vigia::alerting::rules {
namespace {

constexpr std::string_view kAlertName = "alertname";
constexpr std::string_view kNoDataLabel = "vigia_no_data";

Labels WithState(const Labels& alert, std::string_view metric, std::string_view state) {
  LabelsBuilder builder(alert);
  builder.Set(kMetricName, metric);
  if (!state.empty()) builder.Set("alertstate", state);
  return builder.Build();
}

// What the template function `query` answers.
Result<std::vector<templates::QuerySample>> QueryForTemplate(const Environment& environment,
                                                             const Evaluation& at,
                                                             const std::string& query) {
  auto answer = environment.engine.Instant(environment.source, query, at.time);
  if (!answer) return Fail(ErrorCode::kInvalid, answer.error().message);
  std::vector<templates::QuerySample> out;
  if (auto* vector = std::get_if<promql::InstantVector>(&answer->value)) {
    for (auto& sample : *vector) out.push_back({std::move(sample.labels), sample.value});
  } else if (const auto* scalar = std::get_if<promql::ScalarValue>(&answer->value)) {
    out.push_back({Labels(), scalar->value});
  } else {
    return Fail(ErrorCode::kInvalid, "query result is not a vector or scalar");
  }
  return out;
}

}  // namespace

std::string_view Name(AlertState state) {
  switch (state) {
    case AlertState::kInactive:
      return "inactive";
    case AlertState::kPending:
      return "pending";
    case AlertState::kFiring:
      return "firing";
  }
  return "";
}

void AlertingRule::TakeOver(Rule& before) {
  auto& other = static_cast<AlertingRule&>(before);
  const std::scoped_lock lock(mutex_, other.mutex_);
  alerts_ = std::move(other.alerts_);
  removed_ = std::move(other.removed_);
}

AlertingRule::AlertingRule(RuleDefinitionPtr rule)
    : Rule(std::move(rule)),
      label_texts_(ParseTexts(definition(), definition().labels)),
      annotation_texts_(ParseTexts(definition(), definition().annotations)) {}

std::vector<AlertingRule::Text> AlertingRule::ParseTexts(const RuleDefinition& rule,
                                                         const Templates& texts) {
  std::vector<Text> out;
  for (const auto& [name, text] : texts) {
    Text one{name, text, std::nullopt};
    if (text.find("{{") != text.npos) {
      // The rule file was refused if it does not parse.
      if (auto parsed = templates::RuleTemplate::Parse("__alert_" + rule.name, text)) {
        one.parsed = *std::move(parsed);
      }
    }
    out.push_back(std::move(one));
  }
  return out;
}

std::string AlertingRule::Text::Fill(const templates::RuleData& data) const {
  // The alert matters more than its text: an error stands in it.
  return parsed ? parsed->ExpandOrExplain(data) : text;
}

AlertInstance AlertingRule::DescribeOne(const Environment& environment, const Evaluation& at,
                                        const Labels& labels, double value) const {
  const templates::RuleData data{
      .labels = labels,
      .external_labels = environment.external_labels,
      .external_url = environment.external_url,
      .value = value,
      .time = at.time,
      .query = [&](const std::string& query) { return QueryForTemplate(environment, at, query); }};
  AlertInstance instance;
  LabelsBuilder builder(labels);
  builder.Remove(kMetricName);
  for (const auto& text : label_texts_) builder.Set(text.name, text.Fill(data));
  builder.Set(kAlertName, definition().name);
  instance.labels = builder.Build();
  LabelsBuilder annotations;
  for (const auto& text : annotation_texts_) annotations.Set(text.name, text.Fill(data));
  instance.annotations = annotations.Build();
  instance.active_at = at.time;
  instance.value = value;
  return instance;
}

Result<std::unordered_map<Labels, AlertInstance>> AlertingRule::Describe(
    const Environment& environment, const Evaluation& at, promql::InstantVector result) {
  std::unordered_map<Labels, AlertInstance> out;
  out.reserve(result.size());
  for (const auto& sample : result) {
    AlertInstance instance = DescribeOne(environment, at, sample.labels, sample.value);
    Labels labels = instance.labels;
    if (!out.emplace(std::move(labels), std::move(instance)).second) {
      return Fail(ErrorCode::kInvalid,
                  "vector contains metrics with the same labelset after applying alert labels");
    }
  }
  if (out.empty() && definition().no_data == NoData::kAlert) {
    DataStates* states = States(environment, at);
    if (states && states->AnyUnknown()) {
      AlertInstance instance = DescribeOne(environment, at, Labels({{kNoDataLabel, "true"}}), kNaN);
      Labels labels = instance.labels;
      out.emplace(std::move(labels), std::move(instance));
    }
  }
  return out;
}

void AlertingRule::Merge(std::unordered_map<Labels, AlertInstance> described) {
  for (auto& [labels, entry] : alerts_) entry.seen = false;
  for (auto& [labels, instance] : described) {
    auto& entry = alerts_[labels];
    if (entry.instance.active() && !entry.instance.labels.empty()) {
      entry.changed = entry.changed || entry.instance.annotations != instance.annotations;
      entry.instance.value = instance.value;
      entry.instance.annotations = std::move(instance.annotations);
    } else {
      entry.instance = std::move(instance);
      entry.changed = true;
      entry.event = "alert.pending";
    }
    entry.seen = true;
  }
}

std::unordered_map<Labels, DataState> AlertingRule::Explain(const Environment& environment,
                                                            const Evaluation& at) {
  std::vector<Labels> missing;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [labels, entry] : alerts_) {
      if (!entry.seen && entry.instance.active()) missing.push_back(labels);
    }
  }
  std::unordered_map<Labels, DataState> out;
  if (missing.empty()) return out;
  if (definition().no_data == NoData::kOk && definition().tolerance == 0) return out;
  DataStates* states = States(environment, at);
  for (auto& labels : missing) {
    const bool made_up = labels.Has(kNoDataLabel) && !definition().query->Selectors().empty();
    const auto state = !states   ? DataState::kUnknown
                       : made_up ? DataState::kPresent
                                 : states->Of(labels, overridden());
    out.emplace(std::move(labels), state);
  }
  return out;
}

bool AlertingRule::IsHeld(const AlertInstance& instance, DataState state) const {
  if (state == DataState::kPresent) return false;
  if (state == DataState::kUnknown && definition().no_data != NoData::kOk) return true;
  return instance.missed < definition().tolerance;
}

bool AlertingRule::Miss(Entry& entry, const Evaluation& at, DataState state) {
  AlertInstance& alert = entry.instance;
  if (alert.active() && IsHeld(alert, state)) {
    if (!alert.held) entry.event = "alert.held";
    entry.changed = entry.changed || !alert.held;
    alert.held = true;
    ++alert.missed;
    return true;
  }
  const Milliseconds keep = definition().keep_firing_for;
  bool keeps = false;
  if (alert.state == AlertState::kFiring && keep.count() > 0) {
    if (alert.keep_firing_since == 0) {
      alert.keep_firing_since = at.time;
      entry.changed = true;
    }
    keeps = at.time - alert.keep_firing_since < keep.count();
  }
  entry.changed = entry.changed || alert.held;
  alert.held = false;
  if (alert.active() && !keeps) {
    entry.event = alert.state == AlertState::kPending ? "alert.dropped" : "alert.resolved";
    entry.changed = true;
    alert.state = AlertState::kInactive;
    alert.resolved_at = at.time;
  }
  return keeps;
}

// A pending alert whose data is missing for longer than one evaluation waits for it to return.
void AlertingRule::Advance(Entry& entry, const Evaluation& at) {
  AlertInstance& alert = entry.instance;
  if (alert.state != AlertState::kPending) return;
  if (at.time - alert.active_at < definition().hold.count()) return;
  const int blind = std::max(1, definition().tolerance);
  if (alert.held && alert.missed > blind && definition().no_data != NoData::kAlert) return;
  alert.state = AlertState::kFiring;
  alert.fired_at = at.time;
  entry.changed = true;
  entry.event = "alert.firing";
}

void AlertingRule::Emit(Entry& entry, const Evaluation& at, Entries& out) const {
  SeriesLabels& series = entry.series;
  const AlertInstance& alert = entry.instance;
  if (series.state != alert.state) {
    series.state = alert.state;
    series.alerts = WithState(alert.labels, "ALERTS", Name(alert.state));
    series.for_state = WithState(alert.labels, "ALERTS_FOR_STATE", {});
  }
  out.push_back({series.alerts, {at.data_time, 1}});
  // Whole seconds, as Prometheus writes them.
  out.push_back({series.for_state, {at.data_time, static_cast<double>(alert.active_at / 1000)}});
}

Result<Rule::Entries> AlertingRule::Evaluate(const Environment& environment, const Evaluation& at) {
  auto result = Query(environment, at);
  if (!result) return Fail(result.error());
  auto described = Describe(environment, at, *std::move(result));
  if (!described) return Fail(described.error());
  {
    const std::lock_guard lock(mutex_);
    if (described->empty() && alerts_.empty()) return Entries();
    Merge(*std::move(described));
  }
  // Reads the history, so not under the lock. Only this thread changes alerts_.
  const auto missing = Explain(environment, at);
  const std::lock_guard lock(mutex_);
  Entries out;
  std::size_t active = 0;
  for (auto at_entry = alerts_.begin(); at_entry != alerts_.end();) {
    Entry& entry = at_entry->second;
    AlertInstance& alert = entry.instance;
    if (entry.seen) {
      if (alert.held) entry.event = "alert.known";
      entry.changed = entry.changed || alert.held || alert.keep_firing_since != 0;
      alert.held = false;
      alert.missed = 0;
      alert.keep_firing_since = 0;
    } else {
      const bool expired =
          alert.resolved_at != 0 && at.time - alert.resolved_at > kResolvedRetention.count();
      const bool pending = alert.state == AlertState::kPending;
      const auto state = missing.find(at_entry->first);
      const bool stays =
          Miss(entry, at, state == missing.end() ? DataState::kPresent : state->second);
      if (!stays && (pending || expired)) {
        removed_.push_back({pending ? entry.event : std::string_view(), std::move(alert), true});
        at_entry = alerts_.erase(at_entry);
        continue;
      }
      if (!stays) {
        ++at_entry;
        continue;
      }
    }
    ++active;
    Advance(entry, at);
    Emit(entry, at, out);
    ++at_entry;
  }
  if (at.limit > 0 && active > at.limit) {
    for (auto& [labels, entry] : alerts_) {
      removed_.push_back({"alert.discarded", std::move(entry.instance), true});
    }
    alerts_.clear();
    return Fail(ErrorCode::kInvalid, "exceeded limit of " + std::to_string(at.limit) + " with " +
                                         std::to_string(active) + " alerts");
  }
  return out;
}

void AlertingRule::Restore(AlertInstance instance) {
  const std::lock_guard lock(mutex_);
  Labels labels = instance.labels;
  alerts_[labels] = {.instance = std::move(instance)};
}

void AlertingRule::HoldAll() {
  const std::lock_guard lock(mutex_);
  for (auto& [labels, entry] : alerts_) {
    if (!entry.instance.active()) continue;
    if (!entry.instance.held) {
      entry.event = "alert.held";
      entry.changed = true;
    }
    entry.instance.held = true;
    ++entry.instance.missed;
  }
}

std::vector<AlertInstance> AlertingRule::TakeDue(Timestamp time, Milliseconds resend_delay,
                                                 Milliseconds interval) {
  std::vector<AlertInstance> due;
  const std::lock_guard lock(mutex_);
  for (auto& [labels, entry] : alerts_) {
    AlertInstance& alert = entry.instance;
    if (alert.state == AlertState::kPending) continue;
    const bool newly_resolved = alert.resolved_at > alert.last_sent_at;
    if (!newly_resolved && alert.last_sent_at + resend_delay.count() >= time) continue;
    alert.last_sent_at = time;
    alert.valid_until = time + 4 * std::max(resend_delay, interval).count();
    entry.changed = true;
    due.push_back(alert);
  }
  return due;
}

std::vector<Change> AlertingRule::TakeChanges() {
  const std::lock_guard lock(mutex_);
  std::vector<Change> changes = std::exchange(removed_, {});
  for (auto& [labels, entry] : alerts_) {
    if (!entry.changed) continue;
    changes.push_back({std::exchange(entry.event, {}), entry.instance, false});
    entry.changed = false;
  }
  return changes;
}

std::vector<AlertInstance> AlertingRule::Active() const {
  std::vector<AlertInstance> out;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [labels, entry] : alerts_) {
      if (entry.instance.active()) out.push_back(entry.instance);
    }
  }
  std::sort(out.begin(), out.end(),
            [](const auto& a, const auto& b) { return a.labels < b.labels; });
  return out;
}

AlertingRule::Counts AlertingRule::counts() const {
  Counts counts;
  const std::lock_guard lock(mutex_);
  for (const auto& [labels, entry] : alerts_) {
    if (entry.instance.state == AlertState::kPending) ++counts.pending;
    if (entry.instance.state == AlertState::kFiring) ++counts.firing;
    if (entry.instance.active() && entry.instance.held) ++counts.held;
  }
  return counts;
}

AlertState AlertingRule::state() const {
  const std::lock_guard lock(mutex_);
  AlertState worst = AlertState::kInactive;
  for (const auto& [labels, entry] : alerts_) worst = std::max(worst, entry.instance.state);
  return worst;
}

}  // namespace vigia::alerting::rules
