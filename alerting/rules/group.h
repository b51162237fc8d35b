// A Group evaluates its rules in order at one timestamp, stores what they give, marks what has
// vanished, and posts alerts.
//
// Evaluate() is called by one thread at a time; reports by any.

#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "alerting/alert.h"
#include "alerting/rules/alerting_rule.h"
#include "alerting/rules/rule.h"
#include "alerting/rules/rule_file.h"
#include "query/promql/shared.h"

namespace vigia::alerting::rules {

// What one rule's alerts became.
struct RuleChange {
  std::string rule;  // Group::RuleKey()
  RuleDefinitionPtr definition;
  Change change;
};

// Keeps what evaluations change, so that it survives the process. Thread-safe.
class ChangeSink {
 public:
  virtual ~ChangeSink() = default;
  // All that one evaluation of the group changed; called after each, also where nothing did.
  virtual void Store(const std::string& group, Timestamp time, std::vector<RuleChange> changes) = 0;
};

// Where results go. `alerts` and `changes` may be null.
struct Outlets {
  SeriesSink& series;
  AlertSink* alerts = nullptr;
  ChangeSink* changes = nullptr;
};

// What holds for all groups; Prometheus' flags and global section.
struct Settings {
  Milliseconds interval{15'000};  // of groups that name none
  Milliseconds query_offset{0};
  Milliseconds resend_delay{60'000};
  std::string external_url;
  Labels external_labels;
};

struct GroupReport {
  Timestamp last_evaluation = 0;
  double evaluation_seconds = 0;
  double cpu_seconds_total = 0;
  std::uint64_t iterations = 0;
  std::uint64_t missed = 0;
  std::uint64_t rule_failures = 0;
  std::uint64_t rule_evaluations = 0;
  std::uint64_t samples_refused = 0;
};

class Group {
 public:
  Group(GroupDefinition definition, std::shared_ptr<const Settings> settings);

  const GroupDefinition& definition() const { return definition_; }
  const std::string& key() const { return key_; }
  Milliseconds interval() const { return interval_; }
  // How much older than the evaluation the data are that it sees.
  Milliseconds query_offset() const {
    return definition_.query_offset.value_or(settings_->query_offset);
  }
  const std::vector<std::unique_ptr<Rule>>& rules() const { return rules_; }
  // Tells rule `i` from the others of the group, over restarts.
  const std::string& RuleKey(std::size_t i) const { return rule_keys_[i]; }

  // Continues where the group of the same key was before a reload, rule by rule as far as names
  // and labels agree. `before` is done for.
  void TakeOver(Group& before);
  // Puts back a stored alert; false if there is no such rule any more. Before the first
  // evaluation.
  bool Restore(std::string_view rule, AlertInstance instance);

  void Evaluate(Timestamp time, const Environment& given, const Outlets& outlets);
  void CountMissed(std::uint64_t ticks);
  // Marks all its series as gone: the group is no more.
  void Retire(Timestamp time, SeriesSink& sink);

  GroupReport report() const;

 private:
  using SeriesSet = std::unordered_set<Labels>;

  struct Written {
    std::vector<Labels> series;  // of the last evaluation, in the order of the result
    SeriesSet unknown;  // vanished because their data is unknown, marked at each evaluation
  };

  void EvaluateRule(std::size_t i, const Evaluation& at, const Environment& environment,
                    const Outlets& outlets);
  Status Write(std::size_t i, Rule::Entries entries, Timestamp time, SeriesSink& sink);
  void MarkStale(Timestamp time, SeriesSink& sink);
  std::vector<Alert> ToSend(AlertingRule& rule, Timestamp time) const;

  const GroupDefinition definition_;
  const std::string key_;
  const std::shared_ptr<const Settings> settings_;
  const Milliseconds interval_;
  std::vector<std::unique_ptr<Rule>> rules_;
  std::vector<std::string> rule_keys_;

  // Of the evaluating thread.
  promql::Shared shared_;
  std::vector<Written> written_;  // by rule
  SeriesSet stale_;               // of rules that a reload took away

  mutable std::mutex report_mutex_;
  GroupReport report_;  // guarded by report_mutex_
};

// The link that leads from an alert to its expression.
std::string GeneratorUrl(std::string_view external_url, std::string_view expression);

}  // namespace vigia::alerting::rules
