// Turns the result of an expression into alerts and follows each through its life, as Prometheus
// does (rules/alerting.go): pending since the first result, firing after `for`, inactive at the
// first evaluation without a result once `keep_firing_for` is over, and then kept for 15 minutes.
//
// What differs: an alert whose data is unknown (DataStates) is held as it is; see NoData.

#pragma once

#include <functional>
#include <unordered_map>

#include "alerting/alert.h"
#include "alerting/rules/instance.h"
#include "alerting/rules/rule.h"
#include "alerting/templates/rule_template.h"

namespace vigia::alerting::rules {

// How long a resolved alert is kept, so that its end is told again and again.
inline constexpr Milliseconds kResolvedRetention = std::chrono::minutes(15);

// What an evaluation changed: to be stored, and where `event` is not empty to be remembered.
struct Change {
  std::string_view event;  // "alert.pending", "alert.firing", "alert.resolved", "alert.held", ...
  AlertInstance instance;  // as it is now
  bool removed = false;    // it is forgotten
};

class AlertingRule final : public Rule {
 public:
  explicit AlertingRule(RuleDefinitionPtr definition);

  void TakeOver(Rule& before) override;
  Result<Entries> Evaluate(const Environment& environment, const Evaluation& at) override;
  double MarkerOf(const Labels&) override { return GoneMarker(); }

  // Puts back what was stored; before the first evaluation.
  void Restore(AlertInstance instance);
  // The expression could not be evaluated: active alerts stay as they are, held.
  void HoldAll();

  // Alerts that are to be sent now; notes that they were.
  std::vector<AlertInstance> TakeDue(Timestamp time, Milliseconds resend_delay,
                                     Milliseconds interval);
  // What has changed since the last call.
  std::vector<Change> TakeChanges();

  // Pending and firing ones, sorted by labels.
  std::vector<AlertInstance> Active() const;
  struct Counts {
    std::size_t pending = 0;
    std::size_t firing = 0;
    std::size_t held = 0;  // of these
  };
  Counts counts() const;
  // The worst state of all.
  AlertState state() const;

 private:
  // Labels of the two series that show an alert.
  struct SeriesLabels {
    AlertState state = AlertState::kInactive;
    Labels alerts;
    Labels for_state;
  };
  struct Entry {
    AlertInstance instance;
    SeriesLabels series;
    bool seen = false;     // in the result of the evaluation that goes on
    bool changed = false;  // since it was last stored
    std::string_view event;
  };
  using Alerts = std::unordered_map<Labels, Entry>;

  // What the result says, by alert labels.
  Result<std::unordered_map<Labels, AlertInstance>> Describe(const Environment& environment,
                                                             const Evaluation& at,
                                                             promql::InstantVector result);
  AlertInstance DescribeOne(const Environment& environment, const Evaluation& at,
                            const Labels& labels, double value) const;
  void Merge(std::unordered_map<Labels, AlertInstance> described);
  // Why each active alert that the result does not have is missing.
  std::unordered_map<Labels, DataState> Explain(const Environment& environment,
                                                const Evaluation& at);
  // Returns whether the alert is still active.
  bool Miss(Entry& entry, const Evaluation& at, DataState state);
  bool IsHeld(const AlertInstance& instance, DataState state) const;
  void Advance(Entry& entry, const Evaluation& at);
  void Emit(Entry& entry, const Evaluation& at, Entries& out) const;

  // A label or annotation: its text, or what it was parsed to.
  struct Text {
    std::string name;
    std::string text;
    std::optional<templates::RuleTemplate> parsed;

    std::string Fill(const templates::RuleData& data) const;
  };
  static std::vector<Text> ParseTexts(const RuleDefinition& rule, const Templates& texts);

  const std::vector<Text> label_texts_;
  const std::vector<Text> annotation_texts_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Alerts alerts_;
  std::vector<Change> removed_;
};

}  // namespace vigia::alerting::rules
