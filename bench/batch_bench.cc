// One run of a collector: the same series as last time, and with one that is new.

#include <benchmark/benchmark.h>

#include "bench/series.h"

namespace vigia {
namespace {

void BM_SteadyRun(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const bench::SeriesSource source(count);
  Batch batch({.constant_labels = {}, .budget = count});
  for (auto _ : state) {
    source.AddTo(batch);
    benchmark::DoNotOptimize(batch.Finish(0));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_SteadyRun)->Arg(1'000)->Arg(55'000);

void BM_RunWithOneNewSeries(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const bench::SeriesSource source(count);
  Batch batch({.constant_labels = {}, .budget = count + 1});
  std::size_t generation = 0;
  for (auto _ : state) {
    source.AddTo(batch, ++generation);
    benchmark::DoNotOptimize(batch.Finish(0));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_RunWithOneNewSeries)->Arg(1'000)->Arg(55'000);

// A single family, one of whose series is replaced in every run.
void BM_ChurnInOneFamily(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const bool churn = state.range(1) != 0;
  const Metric metric{"pg_stat_user_tables_n_tup_ins", "Rows inserted.", MetricType::kCounter};
  std::vector<std::string> tables;
  for (std::size_t i = 0; i < count; ++i) tables.push_back("table_number_" + std::to_string(i));
  Batch batch({.constant_labels = {}, .budget = count + 1});
  std::size_t generation = 0;
  for (auto _ : state) {
    if (churn) tables[count / 2] = "generation_" + std::to_string(++generation);
    for (const auto& table : tables) {
      batch.Add(metric, {{"datname", "app"}, {"schemaname", "public"}, {"relname", table}}, 1);
    }
    benchmark::DoNotOptimize(batch.Finish(0));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_ChurnInOneFamily)->ArgNames({"series", "churn"})->Args({5'000, 0})->Args({5'000, 1});

}  // namespace
}  // namespace vigia
