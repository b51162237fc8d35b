// Writing a page: 10k and 100k series in both formats, compressed at several levels, and the
// same data through prometheus-cpp's serializer.

#include <benchmark/benchmark.h>
#include <libdeflate.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "bench/series.h"
#include "exporter/page/cache.h"
#include "exporter/page/gzip.h"
#include "exporter/page/renderer.h"

namespace vigia {
namespace {

using exporter::PageStyle;

class World {
 public:
  explicit World(std::size_t series)
      : source_(series), batch_({.constant_labels = {}, .budget = series}) {
    snapshot_.entries.push_back({std::make_shared<const InstanceId>(), nullptr});
    Advance();
  }

  const Snapshot& Advance() {
    source_.Change();
    source_.AddTo(batch_);
    snapshot_.entries[0].reading = batch_.Finish(1);
    ++snapshot_.version;
    return snapshot_;
  }

 private:
  bench::SeriesSource source_;
  Batch batch_;
  Snapshot snapshot_;
};

PageStyle Style(bool openmetrics) {
  return {openmetrics ? text::Format::kOpenMetrics : text::Format::kText, false};
}

void BM_Render(benchmark::State& state) {
  World world(static_cast<std::size_t>(state.range(0)));
  exporter::PageRenderer renderer(Style(state.range(1) != 0));
  std::string page;
  const auto& snapshot = world.Advance();
  for (auto _ : state) {
    renderer.Render(snapshot, page);
    benchmark::DoNotOptimize(page.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(page.size()));
  state.counters["per_series"] =
      benchmark::Counter(static_cast<double>(state.iterations() * state.range(0)),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(BM_Render)->ArgNames({"series", "openmetrics"})->ArgsProduct({{10'000, 100'000}, {0, 1}});

// The first page after the families have changed.
void BM_RenderWithNewLayout(benchmark::State& state) {
  World world(static_cast<std::size_t>(state.range(0)));
  const auto& snapshot = world.Advance();
  std::string page;
  for (auto _ : state) {
    exporter::PageRenderer renderer(Style(false));
    renderer.Render(snapshot, page);
    benchmark::DoNotOptimize(page.data());
  }
}
BENCHMARK(BM_RenderWithNewLayout)->Arg(10'000)->Arg(100'000);

void BM_Gzip(benchmark::State& state) {
  World world(static_cast<std::size_t>(state.range(0)));
  std::string page;
  exporter::PageRenderer(Style(false)).Render(world.Advance(), page);
  exporter::GzipCompressor compressor;
  std::size_t size = 0;
  for (auto _ : state) {
    const auto compressed = compressor.Compress(page);
    size = compressed.size();
    benchmark::DoNotOptimize(compressed.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(page.size()));
  state.counters["ratio"] = static_cast<double>(page.size()) / static_cast<double>(size);
}
BENCHMARK(BM_Gzip)->Arg(10'000)->Arg(100'000);

// The library that does best at compressing further.
void BM_GzipByLibdeflate(benchmark::State& state) {
  World world(static_cast<std::size_t>(state.range(0)));
  std::string page;
  exporter::PageRenderer(Style(false)).Render(world.Advance(), page);
  auto* const compressor = libdeflate_alloc_compressor(static_cast<int>(state.range(1)));
  std::string out(libdeflate_gzip_compress_bound(compressor, page.size()), '\0');
  std::size_t size = 0;
  for (auto _ : state) {
    size =
        libdeflate_gzip_compress(compressor, page.data(), page.size(), out.data(), out.size());
  }
  libdeflate_free_compressor(compressor);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(page.size()));
  state.counters["ratio"] = static_cast<double>(page.size()) / static_cast<double>(size);
}
BENCHMARK(BM_GzipByLibdeflate)
    ->ArgNames({"series", "level"})
    ->ArgsProduct({{10'000}, {1, 2, 4, 6}});

// A scrape of a snapshot that has been scraped before.
void BM_CachedScrape(benchmark::State& state) {
  static World world(10'000);
  static exporter::PageCache cache;
  static const Snapshot& snapshot = world.Advance();
  for (auto _ : state) {
    benchmark::DoNotOptimize(cache.Get(snapshot, Style(false), exporter::Encoding::kGzip));
  }
}
BENCHMARK(BM_CachedScrape)->Threads(1)->Threads(4);

void BM_PrometheusCppSerializer(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  World world(count);
  const auto& snapshot = world.Advance();
  std::vector<prometheus::MetricFamily> families;
  for (const auto& reading : snapshot.entries[0].reading->families) {
    auto& family = families.emplace_back();
    family.name = reading.family->head().name;
    family.help = reading.family->head().help;
    family.type = prometheus::MetricType::Counter;
    for (std::size_t i = 0; i < reading.values.size(); ++i) {
      auto& metric = family.metric.emplace_back();
      for (const auto [name, value] : reading.family->labels(i)) {
        if (name != kMetricName) metric.label.push_back({std::string(name), std::string(value)});
      }
      metric.counter.value = reading.values[i];
    }
  }
  const prometheus::TextSerializer serializer;
  for (auto _ : state) benchmark::DoNotOptimize(serializer.Serialize(families));
  state.counters["per_series"] =
      benchmark::Counter(static_cast<double>(state.iterations() * state.range(0)),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(BM_PrometheusCppSerializer)->Arg(10'000)->Arg(100'000);

}  // namespace
}  // namespace vigia
