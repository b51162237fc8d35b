// Reading a page: 10k series, in both formats; and its numbers alone.

#include <benchmark/benchmark.h>

#include "bench/series.h"
#include "core/number.h"
#include "core/text/parser.h"
#include "core/text/scan.h"

namespace vigia {
namespace {

std::string Page(std::size_t series, bool openmetrics) {
  const bench::SeriesSource source(series);
  Batch batch({.constant_labels = {}, .budget = series});
  source.AddTo(batch);
  const auto reading = batch.Finish(0);
  std::string out;
  for (const auto& family : reading->families) {
    const auto& name = family.family->head().name;
    const auto declared = openmetrics ? name.substr(0, name.size() - 6) : name;
    out += "# HELP " + declared + " " + family.family->head().help + "\n";
    out += "# TYPE " + declared + " counter\n";
    for (std::size_t i = 0; i < family.values.size(); ++i) {
      out += family.family->line(i);
      AppendDouble(out, family.values[i]);
      out += '\n';
    }
  }
  if (openmetrics) out += "# EOF\n";
  return out;
}

void BM_ParsePage(benchmark::State& state) {
  const bool openmetrics = state.range(0) != 0;
  const auto page = Page(10'000, openmetrics);
  text::PageParser parser({.strict = state.range(1) != 0});
  std::size_t samples = 0;
  for (auto _ : state) {
    parser.Begin(page, openmetrics ? text::Format::kOpenMetrics : text::Format::kText);
    while (true) {
      const auto more = parser.Next();
      if (!more) return state.SkipWithError(more.error().message().c_str());
      if (!*more) break;
      benchmark::DoNotOptimize(parser.sample().value);
      ++samples;
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(page.size()));
  state.SetItemsProcessed(static_cast<std::int64_t>(samples));
}
BENCHMARK(BM_ParsePage)
    ->ArgNames({"openmetrics", "strict"})
    ->Args({0, 0})
    ->Args({1, 0})
    ->Args({1, 1});

// As a scrape collector does: every sample goes into a batch that knows it already.
void BM_ParsePageIntoBatch(benchmark::State& state) {
  const auto page = Page(10'000, false);
  text::PageParser parser;
  Batch batch({.constant_labels = {}, .budget = 20'000});
  std::deque<Metric> metrics;
  for (auto _ : state) {
    parser.Begin(page, text::Format::kText);
    while (*parser.Next()) {
      const auto& sample = parser.sample();
      while (metrics.size() <= sample.family->index) {
        metrics.push_back({sample.name, "", sample.family->type});
      }
      batch.AddSample(metrics[sample.family->index], sample.name, sample.labels, sample.value);
    }
    benchmark::DoNotOptimize(batch.Finish(0));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(page.size()));
  state.SetItemsProcessed(state.iterations() * 10'000);
}
BENCHMARK(BM_ParsePageIntoBatch);

void BM_ParseValue(benchmark::State& state, std::string_view text) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(text);
    benchmark::DoNotOptimize(text::ParseValue(text));
  }
}
BENCHMARK_CAPTURE(BM_ParseValue, integer, "1234567");
BENCHMARK_CAPTURE(BM_ParseValue, decimals, "1234.567");
BENCHMARK_CAPTURE(BM_ParseValue, seventeen_digits, "0.12345678901234568");
BENCHMARK_CAPTURE(BM_ParseValue, exponent, "1.2345e+09");

}  // namespace
}  // namespace vigia
