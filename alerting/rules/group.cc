#include "alerting/rules/group.h"

#include <time.h>

#include <algorithm>
#include <map>

#include "core/clock.h"
#include "core/log.h"
#include "core/text/percent.h"

namespace vigia::alerting::rules {
namespace {

double Seconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Labels of the alert come before those of the installation.
Labels WithExternal(const Labels& labels, const Labels& external) {
  if (external.empty()) return labels;
  LabelsBuilder builder(labels);
  for (const auto [name, value] : external) {
    if (!labels.Has(name)) builder.Set(name, value);
  }
  return builder.Build();
}

promql::Shared SharedBy(const GroupDefinition& group) {
  std::vector<const promql::ParsedQuery*> queries;
  std::set<std::string, std::less<>> written{"ALERTS", "ALERTS_FOR_STATE"};
  for (const auto& rule : group.rules) {
    queries.push_back(rule->query.get());
    if (rule->kind == RuleDefinition::Kind::kRecording) written.insert(rule->name);
  }
  return promql::Shared(queries, written);
}

}  // namespace

std::string GeneratorUrl(std::string_view external_url, std::string_view expression) {
  while (external_url.ends_with('/')) external_url.remove_suffix(1);
  return std::string(external_url) + "/graph?g0.expr=" + text::FormEncode(expression) + "&g0.tab=1";
}

Group::Group(GroupDefinition definition, std::shared_ptr<const Settings> settings)
    : definition_(std::move(definition)),
      key_(definition_.Key()),
      settings_(std::move(settings)),
      interval_(definition_.interval.value_or(settings_->interval)),
      shared_(SharedBy(definition_)),
      written_(definition_.rules.size()) {
  std::map<std::string, int> seen;
  for (const auto& rule : definition_.rules) {
    rules_.push_back(MakeRule(rule));
    const std::string identity = IdentityOf(*rule);
    rule_keys_.push_back(identity + "#" + std::to_string(seen[identity]++));
  }
}

void Group::TakeOver(Group& before) {
  std::map<std::string_view, std::size_t> old;
  for (std::size_t i = 0; i < before.rules_.size(); ++i) old.emplace(before.rule_keys_[i], i);
  stale_ = std::move(before.stale_);
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const auto at = old.find(rule_keys_[i]);
    if (at == old.end()) continue;
    rules_[i]->TakeOver(*before.rules_[at->second]);
    rules_[i]->SetReport(before.rules_[at->second]->report());
    written_[i] = std::move(before.written_[at->second]);
    old.erase(at);
  }
  for (const auto& [key, i] : old) {
    stale_.insert(before.written_[i].series.begin(), before.written_[i].series.end());
    stale_.merge(before.written_[i].unknown);
  }
  const auto report = before.report();
  const std::lock_guard lock(report_mutex_);
  report_ = report;
}

bool Group::Restore(std::string_view rule, AlertInstance instance) {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (rule_keys_[i] != rule) continue;
    auto* alerting = dynamic_cast<AlertingRule*>(rules_[i].get());
    if (!alerting) return false;
    alerting->Restore(std::move(instance));
    return true;
  }
  return false;
}

Status Group::Write(std::size_t i, Rule::Entries entries, Timestamp time, SeriesSink& sink) {
  Written& written = written_[i];
  if (entries.empty() && written.series.empty() && written.unknown.empty()) return Ok();
  const bool same =
      written.unknown.empty() && entries.size() == written.series.size() &&
      std::equal(entries.begin(), entries.end(), written.series.begin(),
                 [](const auto& entry, const Labels& b) { return entry.labels == b; });
  if (!same) {
    const SeriesSet before(written.series.begin(), written.series.end());
    written.series.clear();
    for (const auto& entry : entries) written.series.push_back(entry.labels);
    const SeriesSet current(written.series.begin(), written.series.end());
    SeriesSet unknown;
    const auto mark = [&](const SeriesSet& vanished) {
      for (const auto& labels : vanished) {
        if (current.contains(labels)) continue;
        const double marker = rules_[i]->MarkerOf(labels);
        if (IsUnknown(marker)) unknown.insert(labels);
        entries.push_back({labels, {time, marker}});
      }
    };
    mark(before);
    mark(written.unknown);
    written.unknown = std::move(unknown);
  }
  const auto outcome = sink.Append(entries);
  if (!outcome) return Fail(outcome.error().In("storing the result"));
  if (const auto refused = outcome->refused + outcome->out_of_order; refused > 0) {
    const std::lock_guard lock(report_mutex_);
    report_.samples_refused += refused;
  }
  return Ok();
}

void Group::MarkStale(Timestamp time, SeriesSink& sink) {
  if (stale_.empty()) return;
  for (const auto& written : written_) {
    for (const auto& labels : written.series) stale_.erase(labels);
  }
  Rule::Entries entries;
  for (const auto& labels : stale_) entries.push_back({labels, {time, GoneMarker()}});
  stale_.clear();
  static_cast<void>(sink.Append(entries));  // an error concerns later evaluations as well
}

std::vector<Alert> Group::ToSend(AlertingRule& rule, Timestamp time) const {
  std::vector<Alert> out;
  const auto due = rule.TakeDue(time, settings_->resend_delay, interval_);
  if (due.empty()) return out;
  const std::string url = GeneratorUrl(settings_->external_url, rule.definition().expression);
  out.reserve(due.size());
  for (const auto& alert : due) {
    out.push_back({.labels = WithExternal(alert.labels, settings_->external_labels),
                   .annotations = alert.annotations,
                   .starts_at = alert.fired_at,
                   .ends_at = alert.resolved_at != 0 ? alert.resolved_at : alert.valid_until,
                   .updated_at = time,
                   .generator_url = url,
                   .held = alert.held});
  }
  return out;
}

void Group::EvaluateRule(std::size_t i, const Evaluation& at, const Environment& environment,
                         const Outlets& outlets) {
  Rule& rule = *rules_[i];
  const double begin = Seconds(CLOCK_MONOTONIC);
  auto entries = rule.Evaluate(environment, at);
  Status status = Ok();
  if (entries) {
    status = Write(i, *std::move(entries), at.data_time, outlets.series);
  } else {
    status = Fail(entries.error());
    if (auto* alerting = dynamic_cast<AlertingRule*>(&rule)) alerting->HoldAll();
  }
  const bool was_bad = rule.report().health == RuleReport::Health::kBad;
  rule.SetReport({.health = status ? RuleReport::Health::kOk : RuleReport::Health::kBad,
                  .last_error = status ? "" : status.error().message(),
                  .last_evaluation = at.time,
                  .evaluation_seconds = Seconds(CLOCK_MONOTONIC) - begin,
                  .samples = rule.samples(),
                  .samples_read = rule.samples_read()});
  if (!status) {
    {
      const std::lock_guard lock(report_mutex_);
      ++report_.rule_failures;
    }
    if (!was_bad) {
      log::Warn("evaluating rule failed", {{"file", definition_.file},
                                           {"group", definition_.name},
                                           {"rule", rule.definition().name},
                                           {"error", status.error().message()}});
    }
  }
}

void Group::Evaluate(Timestamp time, const Environment& given, const Outlets& outlets) {
  Environment environment = given;
  environment.external_labels = settings_->external_labels;
  environment.external_url = settings_->external_url;
  if (!shared_.empty()) environment.shared = &shared_;
  const double begin = Seconds(CLOCK_MONOTONIC);
  const double cpu = Seconds(CLOCK_THREAD_CPUTIME_ID);
  const Evaluation at{time, time - query_offset().count(), definition_.limit};
  std::vector<Alert> alerts;
  std::vector<RuleChange> changes;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    EvaluateRule(i, at, environment, outlets);
    auto* rule = dynamic_cast<AlertingRule*>(rules_[i].get());
    if (!rule) continue;
    auto due = ToSend(*rule, time);
    alerts.insert(alerts.end(), std::make_move_iterator(due.begin()),
                  std::make_move_iterator(due.end()));
    for (auto& change : rule->TakeChanges()) {
      changes.push_back({rule_keys_[i], rules_[i]->definition_pointer(), std::move(change)});
    }
  }
  shared_.Forget();
  MarkStale(at.data_time, outlets.series);
  // Written down first, then told: a kill in between tells it after the restart.
  if (outlets.changes) outlets.changes->Store(key_, time, std::move(changes));
  if (outlets.alerts && !alerts.empty()) outlets.alerts->Post(alerts);
  const std::lock_guard lock(report_mutex_);
  ++report_.iterations;
  report_.rule_evaluations += rules_.size();
  report_.last_evaluation = time;
  report_.evaluation_seconds = Seconds(CLOCK_MONOTONIC) - begin;
  report_.cpu_seconds_total += Seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
}

void Group::CountMissed(std::uint64_t ticks) {
  const std::lock_guard lock(report_mutex_);
  report_.missed += ticks;
  report_.iterations += ticks;
}

void Group::Retire(Timestamp time, SeriesSink& sink) {
  for (auto& written : written_) {
    stale_.insert(written.series.begin(), written.series.end());
    stale_.merge(written.unknown);
  }
  written_.assign(written_.size(), {});
  MarkStale(time, sink);
}

GroupReport Group::report() const {
  const std::lock_guard lock(report_mutex_);
  return report_;
}

}  // namespace vigia::alerting::rules
