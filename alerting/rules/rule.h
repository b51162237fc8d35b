// A rule at work: evaluates its expression at one instant and gives the samples to be stored.
//
// Evaluate() is called by one thread at a time; report() by any.

#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "alerting/rules/data_states.h"
#include "alerting/rules/rule_file.h"
#include "core/series.h"
#include "query/promql/engine.h"

namespace vigia::alerting::rules {

// What rules are evaluated with; all of it outlives them.
struct Environment {
  const SeriesSource& source;
  const promql::Engine& engine;
  // When this process began to remember, 0 for "always has" (tests, replay), and when the one
  // before it evaluated last, 0 if nobody knows.
  Timestamp started = 0;
  Timestamp stopped = 0;
  // Set by the group: for templates, and what its rules have in common.
  Labels external_labels = {};
  std::string external_url = {};
  promql::Shared* shared = nullptr;
};

// One evaluation of a group.
struct Evaluation {
  Timestamp time = 0;       // of the alerts
  Timestamp data_time = 0;  // of the data: earlier by the query offset
  std::size_t limit = 0;
};

// How the last evaluation went, as the API shows it.
struct RuleReport {
  enum class Health { kUnknown, kOk, kBad };

  Health health = Health::kUnknown;
  std::string last_error;
  Timestamp last_evaluation = 0;
  double evaluation_seconds = 0;
  std::size_t samples = 0;       // in the result
  std::size_t samples_read = 0;  // that the engine looked at: 0 means that nothing can ever fire
};

class Rule {
 public:
  using Entries = std::vector<SeriesSink::Entry>;

  explicit Rule(RuleDefinitionPtr definition);
  virtual ~Rule() = default;

  const RuleDefinition& definition() const { return *definition_; }
  const RuleDefinitionPtr& definition_pointer() const { return definition_; }
  // A reload that changes no more than the expression or the texts.
  virtual void TakeOver(Rule& before) = 0;

  // The samples to be stored, or why there are none; then the state of alerts is as it was.
  virtual Result<Entries> Evaluate(const Environment& environment, const Evaluation& at) = 0;
  // Series that the last evaluation had and this one does not, with the marker that each gets.
  virtual double MarkerOf(const Labels& vanished) = 0;

  RuleReport report() const;
  void SetReport(RuleReport report);
  // Of the last Evaluate().
  std::size_t samples() const { return samples_; }
  std::size_t samples_read() const { return samples_read_; }

 protected:
  // The result of the expression; a scalar is a vector of one without labels.
  Result<promql::InstantVector> Query(const Environment& environment, const Evaluation& at);
  // The state of the data behind the result, read once per evaluation and only if asked for;
  // nullptr if it cannot be read.
  DataStates* States(const Environment& environment, const Evaluation& at);
  void ForgetStates() { states_.reset(); }
  // Labels that say nothing about the data: those that the rule sets.
  const std::set<std::string, std::less<>>& overridden() const { return overridden_; }

 private:
  const RuleDefinitionPtr definition_;
  std::set<std::string, std::less<>> overridden_;
  std::optional<DataStates> states_;
  std::size_t samples_ = 0;
  std::size_t samples_read_ = 0;

  mutable std::mutex report_mutex_;
  RuleReport report_;  // guarded by report_mutex_
};

std::unique_ptr<Rule> MakeRule(RuleDefinitionPtr definition);

}  // namespace vigia::alerting::rules
