// Rules on a fleet's history: CPU of one rule, evaluation and storing of what it gives included.
//
// The clock stands still between evaluations but for the interval of 15 s, in which every series
// gets a sample that is not measured.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "alerting/rules/group.h"
#include "alerting/rules/rule_file.h"
#include "bench/filled_history.h"
#include "bench/rule_sets.h"

namespace vigia::alerting::rules {
namespace {

constexpr std::size_t kSamples = 481;  // two hours
constexpr std::size_t kMore = 200;     // that evaluations may add

std::vector<std::unique_ptr<Group>> MakeGroups(const std::string& text) {
  config::Diagnostics diagnostics("rules.yml");
  auto definitions = ParseRuleFile(text, diagnostics);
  if (!diagnostics.ok()) {
    std::fprintf(stderr, "%s\n", diagnostics.Lines().front().c_str());
    std::abort();
  }
  const auto settings = std::make_shared<const Settings>();
  std::vector<std::unique_ptr<Group>> groups;
  for (auto& definition : definitions) {
    groups.push_back(std::make_unique<Group>(std::move(definition), settings));
  }
  return groups;
}

double ThreadSeconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void Run(benchmark::State& state, const std::string& text, std::size_t rules) {
  const auto series = static_cast<std::size_t>(state.range(0));
  bench::FilledHistory filled(series, kSamples, {.more = kMore});
  filled.Fill();
  const promql::Engine engine{promql::EngineOptions{}};
  const Environment environment{*filled.history, engine};
  const Outlets outlets{*filled.history};
  const auto groups = MakeGroups(text);
  const auto evaluate = [&] {
    for (const auto& group : groups) group->Evaluate(filled.now(), environment, outlets);
  };
  evaluate();  // series and alerts begin
  double seconds = 0;
  for (auto unused : state) {
    state.PauseTiming();
    filled.PushOne();
    state.ResumeTiming();
    const double begin = ThreadSeconds();
    evaluate();
    seconds += ThreadSeconds() - begin;
  }
  std::size_t alerts = 0;
  std::size_t bad = 0;
  for (const auto& group : groups) {
    for (const auto& rule : group->rules()) {
      bad += rule->report().health != RuleReport::Health::kOk ? 1U : 0U;
      if (const auto* alerting = dynamic_cast<const AlertingRule*>(rule.get())) {
        alerts += alerting->counts().pending + alerting->counts().firing;
      }
    }
  }
  state.counters["us_per_rule"] =
      seconds * 1e6 / static_cast<double>(rules) / static_cast<double>(state.iterations());
  state.counters["alerts"] = static_cast<double>(alerts);
  state.counters["bad"] = static_cast<double>(bad);
}

void BM_Mixed(benchmark::State& state) {
  const auto rules = static_cast<std::size_t>(state.range(1));
  Run(state, bench::RuleFile(bench::kMixedForms, rules, 10), rules);
}
BENCHMARK(BM_Mixed)
    ->Args({20'000, 2000})
    ->Args({100'000, 400})
    ->Iterations(6)
    ->Unit(benchmark::kMillisecond);

void BM_Mixin(benchmark::State& state) {
  const auto rules = static_cast<std::size_t>(state.range(1));
  Run(state, bench::RuleFile(bench::kMixinForms, rules, bench::kMixinForms.size()), rules);
}
BENCHMARK(BM_Mixin)->Args({20'000, 480})->Iterations(6)->Unit(benchmark::kMillisecond);

// The queries of groups, each by itself and with what they have in common evaluated once: the least
// CPU of a round, in turns.
void Share(benchmark::State& state, const std::string& text, std::size_t rules) {
  bench::FilledHistory filled(20'000, kSamples);
  filled.Fill();
  const promql::Engine engine{promql::EngineOptions{}};
  const auto groups = MakeGroups(text);
  std::vector<std::vector<const promql::ParsedQuery*>> queries;
  std::vector<promql::Shared> shared;
  for (const auto& group : groups) {
    auto& own = queries.emplace_back();
    std::set<std::string, std::less<>> written;
    for (const auto& rule : group->rules()) {
      own.push_back(rule->definition().query.get());
      if (rule->definition().kind == RuleDefinition::Kind::kRecording) {
        written.insert(rule->definition().name);
      }
    }
    shared.emplace_back(own, written);
  }
  const auto evaluate = [&](bool share) {
    const double begin = ThreadSeconds();
    for (std::size_t i = 0; i < queries.size(); ++i) {
      for (const auto* query : queries[i]) {
        const promql::QueryOptions options{.shared = share ? &shared[i] : nullptr};
        if (!engine.Instant(*filled.history, *query, filled.now(), options)) std::abort();
      }
      shared[i].Forget();
    }
    return (ThreadSeconds() - begin) * 1e6 / static_cast<double>(rules);
  };
  double alone = 1e9;
  double together = 1e9;
  for (auto unused : state) {
    alone = std::min(alone, evaluate(false));
    together = std::min(together, evaluate(true));
  }
  state.counters["us_alone"] = alone;
  state.counters["us_shared"] = together;
}

void BM_ShareMixed(benchmark::State& state) {
  Share(state, bench::RuleFile(bench::kMixedForms, 620, 10), 620);
}
void BM_ShareMixin(benchmark::State& state) {
  Share(state, bench::RuleFile(bench::kMixinForms, 160, bench::kMixinForms.size()), 160);
}
BENCHMARK(BM_ShareMixed)->Iterations(10)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_ShareMixin)->Iterations(10)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace vigia::alerting::rules
