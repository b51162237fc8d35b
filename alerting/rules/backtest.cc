#include "alerting/rules/backtest.h"

#include <algorithm>
#include <map>
#include <memory>
#include <queue>
#include <set>

#include "alerting/rules/group.h"
#include "alerting/rules/phase.h"
#include "query/promql/memory_source.h"

namespace vigia::alerting::rules {
namespace {

// What is stored, with what the rules record, and what was computed, laid over it: series of those
// names are theirs alone.
class Overlay final : public SeriesSource, public SeriesSink {
 public:
  Overlay(const SeriesSource& base, const SeriesSource* computed,
          std::set<std::string, std::less<>> replaced)
      : base_(base), computed_(computed), replaced_(std::move(replaced)) {}

  Result<std::vector<std::shared_ptr<const StoredSeries>>> Select(std::span<const Matcher> matchers,
                                                                  TimeRange range) const override {
    auto below = base_.Select(matchers, range);
    if (!below) return below;
    std::erase_if(*below, [&](const auto& series) {
      return replaced_.contains(series->labels().MetricName());
    });
    const auto size = below->size();
    for (const SeriesSource* const source :
         {computed_, static_cast<const SeriesSource*>(&above_)}) {
      if (source == nullptr) continue;
      auto above = source->Select(matchers, range);
      if (!above) return above;
      below->insert(below->end(), above->begin(), above->end());
    }
    if (below->size() == size) return below;
    std::sort(below->begin(), below->end(),
              [](const auto& a, const auto& b) { return a->labels() < b->labels(); });
    return below;
  }
  // Rules ask for neither.
  Result<std::vector<std::string>> LabelNames(std::span<const Matcher> matchers,
                                              TimeRange range) const override {
    return base_.LabelNames(matchers, range);
  }
  Result<std::vector<std::string>> LabelValues(std::string_view label,
                                               std::span<const Matcher> matchers,
                                               TimeRange range) const override {
    return base_.LabelValues(label, matchers, range);
  }

  Result<Outcome> Append(std::span<const Entry> entries) override { return above_.Append(entries); }

 private:
  const SeriesSource& base_;
  const SeriesSource* const computed_;
  const std::set<std::string, std::less<>> replaced_;
  promql::MemorySource above_;
};

// Turns transitions into incidents.
class IncidentList final : public ChangeSink {
 public:
  void Store(const std::string& group, Timestamp time, std::vector<RuleChange> changes) override {
    for (auto& change : changes) {
      const auto event = change.change.event;
      const AlertInstance& alert = change.change.instance;
      const auto key = std::make_pair(group + '\n' + change.rule, alert.labels);
      if (event == "alert.firing") {
        open_[key] = incidents_.size();
        incidents_.push_back({.group = group,
                              .alert = change.definition->name,
                              .labels = alert.labels,
                              .annotations = alert.annotations,
                              .pending_at = alert.active_at,
                              .fired_at = alert.fired_at,
                              .value = alert.value});
      } else if (event == "alert.resolved" || event == "alert.discarded") {
        const auto at = open_.find(key);
        if (at == open_.end()) continue;
        incidents_[at->second].resolved_at = time;
        open_.erase(at);
      }
    }
  }

  std::vector<Incident> Take() {
    std::stable_sort(incidents_.begin(), incidents_.end(),
                     [](const auto& a, const auto& b) { return a.fired_at < b.fired_at; });
    return std::move(incidents_);
  }

 private:
  std::vector<Incident> incidents_;
  std::map<std::pair<std::string, Labels>, std::size_t> open_;
};

std::set<std::string, std::less<>> ReplacedBy(const std::vector<GroupDefinition>& groups,
                                              std::set<std::string, std::less<>> names) {
  names.insert({"ALERTS", "ALERTS_FOR_STATE"});
  for (const auto& group : groups) {
    for (const auto& rule : group.rules) {
      if (rule->kind == RuleDefinition::Kind::kRecording) names.insert(rule->name);
    }
  }
  return names;
}

}  // namespace

Backtest RunBacktest(const std::vector<GroupDefinition>& groups, const SeriesSource& source,
                     const promql::Engine& engine, const BacktestOptions& options) {
  Settings settings;
  settings.interval = options.interval;
  settings.external_labels = options.external_labels;
  // An alert counts for four of these, so it lasts from one evaluation to the next.
  settings.resend_delay = std::max(settings.resend_delay, options.step);
  const auto shared = std::make_shared<const Settings>(std::move(settings));
  Overlay overlay(source, options.computed, ReplacedBy(groups, options.replaced));
  IncidentList incidents;
  const Environment environment{.source = overlay, .engine = engine};
  const Outlets outlets{overlay, options.alerts, &incidents};

  struct Tick {
    Timestamp time;
    std::size_t group;
    bool operator>(const Tick& other) const {
      return std::tie(time, group) > std::tie(other.time, other.group);
    }
  };
  std::priority_queue<Tick, std::vector<Tick>, std::greater<>> ticks;
  std::vector<std::unique_ptr<Group>> running;
  std::vector<Milliseconds> steps;
  for (const auto& definition : groups) {
    running.push_back(std::make_unique<Group>(definition, shared));
    steps.push_back(std::max(options.step, running.back()->interval()));
    const Phase phase(running.back()->key(), steps.back(), options.from);
    ticks.push({phase.tick(), running.size() - 1});
  }
  Backtest out;
  std::set<std::string> errors;
  while (!ticks.empty()) {
    const Tick tick = ticks.top();
    ticks.pop();
    if (tick.time > options.to) continue;
    if (options.until) options.until(tick.time);
    running[tick.group]->Evaluate(tick.time, environment, outlets);
    ++out.ticks;
    for (const auto& rule : running[tick.group]->rules()) {
      const auto report = rule->report();
      if (report.health != RuleReport::Health::kBad) continue;
      errors.insert(rule->definition().name + ": " + report.last_error);
    }
    ticks.push({tick.time + steps[tick.group].count(), tick.group});
  }
  if (options.until) options.until(options.to);
  out.incidents = incidents.Take();
  out.errors.assign(errors.begin(), errors.end());
  return out;
}

}  // namespace vigia::alerting::rules
