// Stores the result of an expression as series of its own.

#pragma once

#include "alerting/rules/rule.h"

namespace vigia::alerting::rules {

class RecordingRule final : public Rule {
 public:
  using Rule::Rule;

  void TakeOver(Rule& before) override;
  Result<Entries> Evaluate(const Environment& environment, const Evaluation& at) override;
  double MarkerOf(const Labels& vanished) override;

 private:
  // The result's labels with the rule's name and labels.
  Labels Output(const Labels& result) const;

  const Environment* environment_ = nullptr;  // of the evaluation that goes on
  Evaluation at_;
  // What a result's labels became last time: labels are built once per series, not per evaluation.
  std::unordered_map<Labels, Labels> outputs_;
};

}  // namespace vigia::alerting::rules
