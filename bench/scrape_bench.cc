// Scraping a page of 10k series that stay the same, relabelling rules and all: reading it alone,
// and end to end from a server on loopback.

#include <benchmark/benchmark.h>

#include "bench/series.h"
#include "collectors/kind.h"
#include "collectors/scrape/page.h"
#include "core/config/yaml.h"
#include "core/number.h"
#include "tests/support/http_stub.h"

namespace vigia::collectors {
std::vector<Part> MakeScrapeCollector(config::MapReader& options);
}

namespace vigia {
namespace {

constexpr std::size_t kSeries = 10'000;
constexpr std::size_t kBudget = 2 * kSeries;

constexpr auto kRules = R"(
- { source_labels: [__name__], regex: 'go_.*', action: drop }
- { source_labels: [path], regex: '/api/(v[0-9]+)/.*', target_label: api, replacement: $1 }
- { regex: 'environment', action: labeldrop }
)";

std::string PageText() {
  const bench::SeriesSource source(kSeries);
  Batch batch({.constant_labels = {}, .budget = kBudget});
  source.AddTo(batch);
  const auto reading = batch.Finish(0);
  std::string out;
  for (const auto& family : reading->families) {
    out += "# TYPE " + family.family->head().name + " counter\n";
    for (std::size_t i = 0; i < family.values.size(); ++i) {
      out += family.family->line(i);
      AppendDouble(out, family.values[i]);
      out += '\n';
    }
  }
  return out;
}

collectors::scrape::Page MakePage() {
  config::Diagnostics diagnostics("bench");
  const auto rules = config::ParseYaml(kRules, {}, diagnostics);
  return collectors::scrape::Page(
      {.labelling = {.target = {{"job", "app"}, {"instance", "127.0.0.1:8000"}},
                     .relabeling = Relabeling::Read(rules, "rules", diagnostics)}});
}

void BM_ReadSteadyPage(benchmark::State& state) {
  const auto text = PageText();
  auto page = MakePage();
  Batch batch({.constant_labels = {}, .budget = kBudget});
  const auto deadline = Deadline::After(SystemClock(), 1h);
  for (auto _ : state) {
    const auto counts = page.Read(text, text::Format::kText, deadline);
    if (!counts) return state.SkipWithError(counts.error().message().c_str());
    page.AddTo(batch);
    benchmark::DoNotOptimize(batch.Finish(0));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kSeries));
}
BENCHMARK(BM_ReadSteadyPage);

// Every series new, as at the first scrape.
void BM_ReadFirstPage(benchmark::State& state) {
  const auto text = PageText();
  const auto deadline = Deadline::After(SystemClock(), 1h);
  for (auto _ : state) {
    auto page = MakePage();
    benchmark::DoNotOptimize(page.Read(text, text::Format::kText, deadline));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kSeries));
}
BENCHMARK(BM_ReadFirstPage);

// CPU time of the collector's thread; the server's is another.
void BM_ScrapeEndToEnd(benchmark::State& state) {
  test::HttpStub stub;
  stub.Answer("/metrics", {.body = PageText(), .gzip = state.range(0) != 0});
  config::Diagnostics diagnostics("bench");
  auto node = config::ParseYaml("{ url: '" + stub.Url() + "', metric_relabel_configs: [] }", {},
                                diagnostics);
  config::MapReader options(node, diagnostics);
  node.entries[1].second = config::ParseYaml(kRules, {}, diagnostics);
  const auto collector = std::move(collectors::MakeScrapeCollector(options)[0].impl);
  Batch batch({.constant_labels = {}, .budget = kBudget});
  for (auto _ : state) {
    const auto status = collector->Collect(Deadline::After(SystemClock(), 60s), batch);
    if (!status) return state.SkipWithError(status.error().message().c_str());
    benchmark::DoNotOptimize(batch.Finish(0));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kSeries));
}
BENCHMARK(BM_ScrapeEndToEnd)->ArgName("gzip")->Arg(0)->Arg(1);

}  // namespace
}  // namespace vigia
