#include "alerting/rules/lint.h"

#include <algorithm>
#include <map>
#include <set>

#include "alerting/rules/label_names.h"
#include "query/promql/functions/function.h"
#include "query/promql/syntax/printer.h"

namespace vigia::alerting::rules {
namespace {

using promql::Expr;
using promql::NodeKind;
using promql::Token;

bool OneOf(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Whether the result is empty unless something is true.
bool HasCondition(const Expr& expr) {
  if (expr.kind == NodeKind::kBinary) {
    const auto& binary = static_cast<const promql::Binary&>(expr);
    if (IsComparison(binary.op) && !binary.return_bool) return true;
    if (binary.op == Token::kOr) return HasCondition(*binary.left) && HasCondition(*binary.right);
    if (binary.op == Token::kAnd || binary.op == Token::kUnless) return true;
  }
  if (expr.kind == NodeKind::kCall) {
    const auto name = static_cast<const promql::Call&>(expr).function.name;
    if (name == "absent" || name == "absent_over_time") return true;
  }
  bool found = false;
  promql::VisitChildren(expr, [&](const Expr& child) { found = found || HasCondition(child); });
  return found;
}

// Names behind `$labels.` and `.Labels.` in a template.
std::set<std::string> LabelsUsed(std::string_view text) {
  std::set<std::string> out;
  for (const std::string_view word : {"$labels.", ".Labels."}) {
    for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
      std::size_t end = at + word.size();
      while (end < text.size() &&
             (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '_')) {
        ++end;
      }
      out.emplace(text.substr(at + word.size(), end - at - word.size()));
    }
  }
  return out;
}

bool IsPlainWord(std::string_view pattern) {
  return !pattern.empty() && pattern.find_first_of("\\.+*?()|[]{}^$") == pattern.npos;
}

// Looks at the rules of one group.
class GroupLint {
 public:
  GroupLint(const GroupDefinition& group, const LintOptions& options, std::vector<Finding>& out)
      : group_(group), options_(options), out_(out) {}

  void Run() {
    for (const auto& rule : group_.rules) {
      rule_ = rule.get();
      LintExpression(rule->query->root());
      if (rule->kind == RuleDefinition::Kind::kAlerting) LintAlert();
    }
  }

 private:
  void Add(std::string text) {
    out_.push_back({group_.file, rule_->expression_position, rule_->name + ": " + std::move(text)});
  }

  void LintExpression(const Expr& expr) {
    if (expr.kind == NodeKind::kCall) LintCall(static_cast<const promql::Call&>(expr));
    if (expr.kind == NodeKind::kVectorSelector) {
      LintSelector(static_cast<const promql::VectorSelector&>(expr));
    }
    promql::VisitChildren(expr, [&](const Expr& child) { LintExpression(child); });
  }

  void LintSelector(const promql::VectorSelector& selector) {
    for (const auto& matcher : selector.matchers) {
      const bool regex = matcher.op == Matcher::Op::kRegex || matcher.op == Matcher::Op::kNotRegex;
      if (!regex || !IsPlainWord(matcher.value)) continue;
      Add("'" + promql::ToString(matcher) + "' needs no regular expression: write " +
          (matcher.op == Matcher::Op::kRegex ? "=" : "!="));
    }
  }

  void LintCall(const promql::Call& call) {
    const auto name = call.function.name;
    for (const auto& arg : call.args) {
      const Expr& inner = promql::Unwrap(*arg);
      if (inner.kind != NodeKind::kMatrixSelector) continue;
      const auto& matrix = static_cast<const promql::MatrixSelector&>(inner);
      LintType(name, matrix.selector->name);
      const bool two = OneOf(name, {"rate", "irate", "increase", "delta", "idelta", "deriv",
                                    "predict_linear", "changes", "resets"});
      const auto least = 2 * options_.collection_interval;
      if (two && matrix.window < least.count()) {
        Add(std::string(name) + "() over " + FormatDuration(Milliseconds(matrix.window)) +
            " sees fewer than two samples most of the time: values come every " +
            FormatDuration(options_.collection_interval) + ", so write at least [" +
            FormatDuration(2 * least) + "]");
      }
    }
  }

  void LintType(std::string_view function, const std::string& metric) {
    if (!options_.type_of || metric.empty()) return;
    const auto type = options_.type_of(metric);
    if (type == MetricType::kGauge && OneOf(function, {"rate", "irate", "increase"})) {
      Add(std::string(function) + "() is for counters, and " + metric +
          " is a gauge: use delta() or deriv()");
    } else if (type == MetricType::kCounter && OneOf(function, {"delta", "idelta", "deriv"})) {
      Add(std::string(function) + "() is for gauges, and " + metric +
          " is a counter, which starts anew: use increase() or rate()");
    }
  }

  void LintAlert() {
    const Expr& root = rule_->query->root();
    if (!rule_->query->Selectors().empty() && !HasCondition(root)) {
      Add("the alert has no condition, so it fires as long as its series exist");
    }
    const auto interval = group_.interval.value_or(options_.interval);
    if (rule_->hold.count() > 0 && rule_->hold < interval) {
      Add("for: " + FormatDuration(rule_->hold) + " is less than the interval of " +
          FormatDuration(interval) + " and acts like one interval");
    }
    const LabelNames labels = LabelNamesOf(root);
    const auto check = [&](const Templates& texts) {
      for (const auto& [name, text] : texts) {
        for (const auto& label : LabelsUsed(text)) {
          if (label.empty() || labels.CanHave(label)) continue;
          Add(name + " uses the label '" + label + "', which the expression does not keep");
        }
      }
    };
    check(rule_->labels);
    check(rule_->annotations);
  }

  const GroupDefinition& group_;
  const LintOptions& options_;
  std::vector<Finding>& out_;
  const RuleDefinition* rule_ = nullptr;
};

void FindDuplicates(const std::vector<GroupDefinition>& groups, std::vector<Finding>& out) {
  std::map<std::string, std::pair<const GroupDefinition*, const RuleDefinition*>> seen;
  for (const auto& group : groups) {
    for (const auto& rule : group.rules) {
      const auto [at, first] = seen.try_emplace(IdentityOf(*rule), &group, rule.get());
      if (first) continue;
      const auto& [other_group, other] = at->second;
      const bool same = other->expression == rule->expression;
      const bool record = rule->kind == RuleDefinition::Kind::kRecording;
      if (!same && !record) continue;  // one alert of several conditions
      const std::string where = other_group->file + ":" + std::to_string(other->position.line);
      out.push_back(
          {group.file, rule->position,
           rule->name + (same ? ": the same rule stands in " + where
                              : ": another expression records the same series in " + where)});
    }
  }
}

}  // namespace

std::string Finding::ToString() const {
  return file + ":" + std::to_string(position.line) + ":" + std::to_string(position.column) + ": " +
         text;
}

std::vector<Finding> Lint(const std::vector<GroupDefinition>& groups, const LintOptions& options) {
  std::vector<Finding> out;
  for (const auto& group : groups) GroupLint(group, options, out).Run();
  FindDuplicates(groups, out);
  std::stable_sort(out.begin(), out.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.file, a.position) < std::tie(b.file, b.position);
  });
  return out;
}

}  // namespace vigia::alerting::rules
