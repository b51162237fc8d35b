// The query engine on 20,000 synthetic series of an hour, a sample every 15 s. Reading costs a
// copy here; what the history adds for decoding is in its own benchmark.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "query/promql/engine.h"

namespace vigia::promql {
namespace {

constexpr Timestamp kEnd = 1'700'000'000'000 / 900'000 * 900'000;
constexpr std::int64_t kInterval = 15'000;
constexpr std::int64_t kHour = 3'600'000;

class MadeUpSeries final : public StoredSeries {
 public:
  MadeUpSeries(Labels labels, double slope) : labels_(std::move(labels)) {
    // An hour to be shown, and a window more.
    for (Timestamp time = kEnd - kHour - kHour / 6; time <= kEnd; time += kInterval) {
      times_.push_back(time);
      const auto i = static_cast<double>(times_.size());
      values_.push_back(std::floor(slope * i + 3 * std::sin(i)));
    }
  }

  const Labels& labels() const override { return labels_; }

  Status Read(Timestamp from, Timestamp to, Columns& out) const override {
    const auto begin = std::lower_bound(times_.begin(), times_.end(), from) - times_.begin();
    const auto end = std::upper_bound(times_.begin(), times_.end(), to) - times_.begin();
    out.times.insert(out.times.end(), times_.begin() + begin, times_.begin() + end);
    out.values.insert(out.values.end(), values_.begin() + begin, values_.begin() + end);
    return Ok();
  }

 private:
  const Labels labels_;
  std::vector<Timestamp> times_;
  std::vector<double> values_;
};

// Finds series by their metric name, and of those by equality of other labels.
class MadeUpSource final : public SeriesSource {
 public:
  using List = std::vector<std::shared_ptr<const StoredSeries>>;

  MadeUpSource() {
    for (int host = 0; host < 100; ++host) {
      const std::string instance = "host-" + std::to_string(host) + ":9100";
      const std::string job = "job-" + std::to_string(host % 5);
      for (int i = 0; i < 100; ++i) {
        Add({{"__name__", "requests_total"},
             {"instance", instance},
             {"job", job},
             {"handler", "/h" + std::to_string(i % 25)},
             {"code", std::to_string(200 + i / 25)}},
            5 + i);
      }
      for (int i = 0; i < 80; ++i) {
        Add({{"__name__", "latency_bucket"},
             {"instance", instance},
             {"job", job},
             {"handler", "/h" + std::to_string(i / 10)},
             {"le", std::to_string(i % 10)}},
            10 * (1 + i % 10));
      }
      for (int i = 0; i < 19; ++i) {
        Add({{"__name__", "memory_bytes"},
             {"instance", instance},
             {"job", job},
             {"type", "t" + std::to_string(i)}},
            i);
      }
      Add({{"__name__", "build_info"}, {"instance", instance}, {"version", "1." + job}}, 0);
    }
    for (auto& [name, list] : series_) {
      std::sort(list.begin(), list.end(),
                [](const auto& a, const auto& b) { return a->labels() < b->labels(); });
    }
  }

  Result<List> Select(std::span<const Matcher> matchers, TimeRange) const override {
    List out;
    const auto named = std::find_if(matchers.begin(), matchers.end(), [](const Matcher& matcher) {
      return matcher.name == kMetricName;
    });
    const auto at = series_.find(named->value);
    if (at == series_.end()) return out;
    if (matchers.size() == 1) return at->second;
    for (const auto& series : at->second) {
      const bool fits = std::all_of(matchers.begin(), matchers.end(), [&](const Matcher& matcher) {
        return series->labels().Get(matcher.name) == matcher.value;
      });
      if (fits) out.push_back(series);
    }
    return out;
  }
  Result<std::vector<std::string>> LabelNames(std::span<const Matcher>, TimeRange) const override {
    return std::vector<std::string>();
  }
  Result<std::vector<std::string>> LabelValues(std::string_view, std::span<const Matcher>,
                                               TimeRange) const override {
    return std::vector<std::string>();
  }

 private:
  void Add(std::initializer_list<LabelView> labels, double slope) {
    const Labels made(labels);
    series_[std::string(made.MetricName())].push_back(std::make_shared<MadeUpSeries>(made, slope));
  }

  std::map<std::string, List> series_;
};

const MadeUpSource& Source() {
  static const auto* const source = new MadeUpSource;
  return *source;
}

const std::vector<std::string> kQueries{
    "requests_total",
    "sum by (job) (rate(requests_total[5m]))",
    "sum by (job) (rate(requests_total{instance=\"host-7:9100\"}[5m]))",
    "memory_bytes{instance=\"host-7:9100\"}",
    "topk(5, sum by (handler) (rate(requests_total[5m])))",
    "topk(5, rate(requests_total[5m]))",
    "histogram_quantile(0.95, sum by (le, handler) (rate(latency_bucket[5m])))",
    "histogram_quantile(0.95, rate(latency_bucket[5m]))",
    "memory_bytes / on (instance) group_left (version) build_info",
    "rate(requests_total[5m]) / ignoring (code) group_left sum without (code) "
    "(rate(requests_total[5m]))",
    "memory_bytes / memory_bytes > 0.5",
    "max_over_time(memory_bytes[10m])",
    "avg_over_time(memory_bytes[10m])",
    "quantile_over_time(0.9, memory_bytes[10m])",
    "quantile by (job) (0.9, memory_bytes)",
    "count_values(\"v\", memory_bytes)",
    "max_over_time(sum by (job) (rate(requests_total[5m]))[10m:1m])",
    "label_replace(memory_bytes, \"host\", \"$1\", \"instance\", \"(.*):.*\")",
    "sort_desc(memory_bytes)",
    "memory_bytes and on (instance) build_info",
};

Engine MakeEngine(int threads) {
  EngineOptions options;
  options.threads = static_cast<unsigned>(threads);
  return Engine(options);
}

void BM_Instant(benchmark::State& state) {
  const Engine engine = MakeEngine(1);
  const auto query = engine.Parse(kQueries[static_cast<std::size_t>(state.range(0))]);
  state.SetLabel((*query)->text());
  for (auto _ : state) {
    auto answer = engine.Instant(Source(), **query, kEnd);
    if (!answer) state.SkipWithError(answer.error().message.c_str());
    benchmark::DoNotOptimize(answer);
  }
}

void BM_Range(benchmark::State& state) {
  const Engine engine = MakeEngine(static_cast<int>(state.range(1)));
  const auto query = engine.Parse(kQueries[static_cast<std::size_t>(state.range(0))]);
  state.SetLabel((*query)->text());
  for (auto _ : state) {
    auto answer = engine.Range(Source(), **query, kEnd - kHour, kEnd, Milliseconds(kInterval));
    if (!answer) state.SkipWithError(answer.error().message.c_str());
    benchmark::DoNotOptimize(answer);
  }
}

void BM_Parse(benchmark::State& state) {
  for (auto _ : state) {
    for (const auto& query : kQueries) benchmark::DoNotOptimize(Parse(query));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kQueries.size()));
}

void EveryQuery(benchmark::internal::Benchmark* benchmark) {
  for (std::size_t i = 0; i < kQueries.size(); ++i) benchmark->Arg(static_cast<std::int64_t>(i));
}

void EveryQueryOnOneAndTwoThreads(benchmark::internal::Benchmark* benchmark) {
  for (std::size_t i = 0; i < kQueries.size(); ++i) {
    for (const int threads : {1, 2}) benchmark->Args({static_cast<std::int64_t>(i), threads});
  }
}

BENCHMARK(BM_Instant)->Apply(EveryQuery)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Range)->Apply(EveryQueryOnOneAndTwoThreads)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Parse)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace vigia::promql
