#include "exporter/rules/component.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>

#include "alerting/rules/runner.h"
#include "alerting/rules/store.h"
#include "core/log.h"
#include "exporter/component.h"
#include "exporter/rules/api.h"
#include "exporter/rules/collector.h"
#include "exporter/rules/explain.h"

namespace vigia::exporter {
namespace {

namespace rules = alerting::rules;

Labels ExternalLabels(const Config& config) {
  LabelsBuilder builder;
  for (const auto& [name, value] : config.external_labels) builder.Set(name, value);
  return builder.Build();
}

// Groups run side by side already.
promql::EngineOptions OneThread(promql::EngineOptions options) {
  options.threads = 1;
  return options;
}

class RulesComponent final : public Component {
 public:
  explicit RulesComponent(const Ground& ground)
      : ground_(ground),
        engine_(OneThread(ground.engine.options())),
        dead_(ground.history, ground.clock),
        store_(ground.database, ground.journal),
        runner_(ground.clock,
                {.source = ground.history,
                 .engine = engine_,
                 .started = ground.clock.Wall(),
                 .stopped = OpenStore()},
                {ground.history, &ground.alerts, &store_},
                {.threads = std::max(1U, std::thread::hardware_concurrency()),
                 .interval_of = [this](const InstanceId& id) { return IntervalOf(id); }}) {
    ground_.router.Get("/api/v1/rules", [this](const http::Request& request) {
      return RulesAnswer(request, runner_.Groups(), dead_);
    });
    ground_.router.Get("/api/v1/alerts",
                       [this](const http::Request&) { return AlertsAnswer(runner_.Groups()); });
    ground_.alerts.TellReasons([this](const alerting::route::Matchers& matchers) {
      return RulesExplained({.groups = runner_.Groups(),
                             .source = ground_.history,
                             .engine = engine_,
                             .now = ground_.clock.Wall()},
                            matchers);
    });
    ground_.bell.Attach(runner_);
    ground_.alerts.TellEvaluated([this] {
      const auto groups = runner_.Groups();
      return std::all_of(groups.begin(), groups.end(),
                         [](const auto& group) { return group->report().last_evaluation != 0; });
    });
  }

  Status Apply(const Config& config) override {
    {
      const std::lock_guard lock(mutex_);
      intervals_.clear();
      for (const auto& instance : config.collectors) intervals_[instance.id] = instance.interval;
    }
    runner_.Apply(config.rules.groups, {.interval = config.rules.interval,
                                        .external_url = ground_.external_url,
                                        .external_labels = ExternalLabels(config)});
    return Ok();
  }

  void Start() override {
    Restore();
    runner_.Start();
  }

  void Stop() override {
    runner_.Stop();
    store_.Flush();
  }

  std::vector<collectors::Instance> Instances() override {
    std::vector<collectors::Instance> out;
    out.push_back(
        OwnInstance("vigia.rules", "rules",
                    MakeRuleCollector(runner_, store_, ground_.database, ground_.journal)));
    return out;
  }

 private:
  Milliseconds IntervalOf(const InstanceId& id) {
    const std::lock_guard lock(mutex_);
    const auto at = intervals_.find(id);
    return at == intervals_.end() ? Milliseconds(0) : at->second;
  }

  // Returns when the process before this one evaluated last.
  Timestamp OpenStore() {
    if (auto status = store_.Open(); !status) {
      log::Error("alert state has no tables", {{"error", status.error().message()}});
    }
    const Timestamp now = ground_.clock.Wall();
    store_.NoteFrom(now + engine_.options().lookback.count());
    const Timestamp last = store_.LastEvaluation();
    return last <= now ? last : 0;  // 0: nobody knows, the clock was wrong
  }

  // Alerts are what they were before anything is evaluated.
  void Restore() {
    auto stored = store_.Load();
    if (!stored) {
      log::Error("alert state cannot be read, alerts begin anew",
                 {{"error", stored.error().message()}});
      return;
    }
    std::vector<rules::AlertStore::Stored> orphans;
    for (auto& one : *stored) {
      if (!runner_.Restore(one.group, one.rule, one.instance)) orphans.push_back(std::move(one));
    }
    if (auto status = store_.Remove(orphans); !status) {
      log::Warn("alert state of rules that are gone stays", {{"error", status.error().message()}});
    }
    log::Info("alert state restored", {{"alerts", std::to_string(stored->size() - orphans.size())},
                                       {"of_rules_gone", std::to_string(orphans.size())}});
  }

  const Ground ground_;
  const promql::Engine engine_;
  DeadRules dead_;
  std::mutex mutex_;
  std::map<InstanceId, Milliseconds> intervals_;  // guarded by mutex_
  rules::AlertStore store_;
  rules::Runner runner_;
};

}  // namespace

std::unique_ptr<Component> MakeRulesComponent(const Ground& ground) {
  return std::make_unique<RulesComponent>(ground);
}

}  // namespace vigia::exporter
