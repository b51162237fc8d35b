// Label sets: made, copied, compared, looked up, written.

#include <benchmark/benchmark.h>

#include <array>

#include "core/family.h"
#include "core/labels.h"

namespace vigia {
namespace {

constexpr std::array kPairs{
    LabelView{"__name__", "http_requests_total"},
    LabelView{"code", "200"},
    LabelView{"instance", "10.0.0.1:9100"},
    LabelView{"job", "node"},
    LabelView{"method", "GET"},
    LabelView{"path", "/api/v1/posts/"},
};

void BM_FromSorted(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Labels::FromSorted(kPairs));
}
BENCHMARK(BM_FromSorted);

void BM_FromPairs(benchmark::State& state) {
  auto pairs = kPairs;
  std::reverse(pairs.begin(), pairs.end());
  for (auto _ : state) benchmark::DoNotOptimize(Labels::FromPairs(pairs));
}
BENCHMARK(BM_FromPairs);

void BM_Copy(benchmark::State& state) {
  const auto labels = Labels::FromSorted(kPairs);
  for (auto _ : state) {
    Labels copy = labels;
    benchmark::DoNotOptimize(copy);
  }
}
BENCHMARK(BM_Copy);

void BM_Hash(benchmark::State& state) {
  const auto labels = Labels::FromSorted(kPairs);
  for (auto _ : state) benchmark::DoNotOptimize(labels.Hash());
}
BENCHMARK(BM_Hash);

void BM_EqualButNotTheSame(benchmark::State& state) {
  const auto a = Labels::FromSorted(kPairs);
  const auto b = Labels::FromSorted(kPairs);
  for (auto _ : state) benchmark::DoNotOptimize(a == b);
}
BENCHMARK(BM_EqualButNotTheSame);

void BM_Order(benchmark::State& state) {
  const auto a = Labels::FromSorted(kPairs);
  const auto b = LabelsBuilder(a).Set("path", "/api/v1/posts/2").Build();
  for (auto _ : state) benchmark::DoNotOptimize(a < b);
}
BENCHMARK(BM_Order);

void BM_Get(benchmark::State& state) {
  const auto labels = Labels::FromSorted(kPairs);
  for (auto _ : state) benchmark::DoNotOptimize(labels.Get("method"));
}
BENCHMARK(BM_Get);

void BM_AppendSeries(benchmark::State& state) {
  const auto labels = Labels::FromSorted(kPairs);
  std::string out;
  for (auto _ : state) {
    out.clear();
    AppendSeries(out, labels);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(BM_AppendSeries);

}  // namespace
}  // namespace vigia
