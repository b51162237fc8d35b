#include "alerting/explain/rule.h"

#include <algorithm>

#include "core/number.h"
#include "query/promql/format.h"

namespace vigia::alerting::explain {
namespace {

using rules::AlertInstance;
using rules::AlertState;

constexpr std::string_view kAlertName = "alertname";

const std::string* SetByRule(const rules::RuleDefinition& rule, const std::string& name) {
  if (name == kAlertName) return &rule.name;
  const auto at = std::find_if(rule.labels.begin(), rule.labels.end(),
                               [&](const auto& label) { return label.first == name; });
  return at == rule.labels.end() ? nullptr : &at->second;
}

std::string Count(std::size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

std::string HeldText(const AlertInstance& alert) {
  return "held as " + std::string(Name(alert.state)) + ": its data is missing for " +
         Count(static_cast<std::size_t>(alert.missed), "evaluation");
}

std::string FiringText(const rules::RuleDefinition& rule, const AlertInstance& alert,
                       std::size_t firing) {
  std::string out = "fires: " + Count(firing, "alert") + ", since " +
                    promql::FormatRfc3339(alert.fired_at) + ", value " + FormatDouble(alert.value);
  if (alert.keep_firing_since != 0) {
    out += "; the condition is false since " + promql::FormatRfc3339(alert.keep_firing_since) +
           ", keep_firing_for holds it for " + FormatDuration(rule.keep_firing_for);
  }
  return out;
}

std::string PendingText(const rules::RuleDefinition& rule, const AlertInstance& alert,
                        Timestamp now) {
  return "does not fire yet: the condition holds since " + promql::FormatRfc3339(alert.active_at) +
         ", for " + FormatDuration(rule.hold) + " is over in " +
         FormatDuration(HoldLeft(rule, alert, now));
}

// Of the alerts that are active: the worst first.
std::string ActiveText(const rules::RuleDefinition& rule, const std::vector<AlertInstance>& active,
                       Timestamp now) {
  const auto is = [](AlertState state) {
    return [state](const AlertInstance& one) { return one.state == state; };
  };
  const auto firing = std::find_if(active.begin(), active.end(), is(AlertState::kFiring));
  std::string out;
  const AlertInstance* shown = nullptr;
  if (firing != active.end()) {
    // The one that fires the longest.
    const auto first =
        std::min_element(active.begin(), active.end(), [](const auto& a, const auto& b) {
          const auto since = [](const AlertInstance& one) {
            return one.state == AlertState::kFiring ? one.fired_at : INT64_MAX;
          };
          return since(a) < since(b);
        });
    shown = &*first;
    out = FiringText(rule, *first,
                     static_cast<std::size_t>(
                         std::count_if(active.begin(), active.end(), is(AlertState::kFiring))));
  } else {
    const auto first =
        std::min_element(active.begin(), active.end(),
                         [](const auto& a, const auto& b) { return a.active_at < b.active_at; });
    shown = &*first;
    out = PendingText(rule, *first, now);
  }
  return shown->held ? out + "; " + HeldText(*shown) : out;
}

}  // namespace

Milliseconds HoldLeft(const rules::RuleDefinition& rule, const AlertInstance& alert,
                      Timestamp now) {
  if (alert.state != AlertState::kPending) return Milliseconds(0);
  const auto left = std::max(Milliseconds(0), rule.hold - Milliseconds(now - alert.active_at));
  return std::chrono::ceil<std::chrono::seconds>(left);
}

bool CanFit(const rules::RuleDefinition& rule, const route::Matchers& matchers) {
  return std::all_of(matchers.begin(), matchers.end(), [&](const route::Matcher& matcher) {
    const auto* set = SetByRule(rule, matcher.name());
    return !set || set->find("{{") != set->npos || matcher.MatchesValue(*set);
  });
}

RuleExplanation ExplainRule(const rules::Group& group, const rules::AlertingRule& rule,
                            Question question, Timestamp now) {
  const auto& definition = rule.definition();
  RuleExplanation out;
  auto active = rule.Active();
  std::erase_if(active,
                [&](const auto& one) { return !route::MatchesAll(question.about, one.labels); });
  for (const auto& one : active) out.state = std::max(out.state, one.state);
  // The rule's own labels say nothing about its data.
  std::erase_if(question.about, [&](const route::Matcher& matcher) {
    return SetByRule(definition, matcher.name()) != nullptr;
  });
  const auto report = rule.report();
  out.time = report.last_evaluation != 0 ? report.last_evaluation : question.time;
  question.time = out.time - group.query_offset().count();
  out.expression = ExplainExpression(question, definition.query->root());

  if (report.health == rules::RuleReport::Health::kBad) {
    out.verdict = "cannot be evaluated: " + report.last_error;
  } else if (!active.empty()) {
    out.verdict = ActiveText(definition, active, now);
  } else if (report.last_evaluation == 0) {
    out.verdict = "has not been evaluated yet";
  } else if (out.expression.series > 0) {
    out.verdict =
        "does not fire: the condition holds by what is stored now, and did not when it was "
        "evaluated; data came late";
  } else {
    out.verdict = "does not fire: " + (out.expression.cause.empty() ? "the expression has no result"
                                                                    : out.expression.cause);
  }
  out.active_count = active.size();
  if (active.size() > kMostActive) active.resize(kMostActive);
  out.active = std::move(active);
  return out;
}

}  // namespace vigia::alerting::explain
