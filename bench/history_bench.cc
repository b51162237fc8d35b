// The history against its aims: appending, bytes per sample, memory, selecting, reading, restart.

#include <benchmark/benchmark.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>

#include "bench/filled_history.h"
#include "bench/fleet.h"
#include "core/family.h"
#include "query/history/chunk.h"
#include "query/history/history.h"
#include "query/history/recorder.h"

namespace vigia::history {
namespace {

constexpr Timestamp kStart = bench::FilledHistory::kStart;

double ResidentMegabytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  long size = 0;
  long resident = 0;
  if (!file || std::fscanf(file, "%ld %ld", &size, &resident) != 2) std::abort();
  std::fclose(file);
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6;
}

using bench::FilledHistory;

FilledHistory& Shared() {
  static FilledHistory filled(20'000, 481);
  static const double filling = filled.Fill();
  benchmark::DoNotOptimize(filling);
  return filled;
}

// 20,000 series for two hours: what they cost.
void BM_Fleet(benchmark::State& state) {
  const auto series = static_cast<std::size_t>(state.range(0));
  const auto hours = static_cast<std::size_t>(state.range(1));
  for (auto unused : state) {
    FilledHistory filled(series, hours * 240 + 1);
    const double before = ResidentMegabytes();
    const double push_seconds = filled.Fill();
    const double samples = static_cast<double>(filled.fleet.size() * (hours * 240 + 1));
    const double grown = ResidentMegabytes() - before;
    const auto stats = filled.history->stats();
    state.counters["cpu_s_per_M"] = push_seconds / samples * 1e6;
    state.counters["rss_MB"] = ResidentMegabytes();
    state.counters["grown_MB"] = grown;
    state.counters["counted_MB"] = static_cast<double>(stats.memory_bytes) / 1e6;
    state.counters["B_per_sample_on_disk"] = filled.folder.Bytes() / samples;
    state.counters["blocks"] = static_cast<double>(stats.blocks);
    state.counters["journal_MB"] = static_cast<double>(stats.journal_bytes) / 1e6;
    if (!filled.history->Seal()) std::abort();
    state.counters["B_per_sample_sealed"] = filled.folder.Bytes() / samples;
    const auto begin = std::chrono::steady_clock::now();
    filled.Open();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    state.counters["restart_s"] = took.count();
  }
}
BENCHMARK(BM_Fleet)
    ->Args({20'000, 2})
    ->Args({100'000, 1})
    ->Args({20'000, 24})
    ->Iterations(1)
    ->Unit(benchmark::kSecond);

// Restart with nothing sealed yet: all samples are replayed from the journal.
void BM_Replay(benchmark::State& state) {
  FilledHistory filled(20'000, 110, {.block_length = 24h});
  filled.Fill();
  for (auto unused : state) filled.Open();
  const std::uint64_t samples = filled.history->stats().samples_replayed;
  if (samples != filled.fleet.size() * 110) std::abort();
  state.counters["samples"] = static_cast<double>(samples);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(samples));
}
BENCHMARK(BM_Replay)->Iterations(3)->Unit(benchmark::kMillisecond);

void BM_AppendEntries(benchmark::State& state) {
  bench::TempFolder folder;
  ManualClock clock(kStart);
  auto history = *History::Open({.folder = folder.path()}, clock);
  bench::Fleet fleet(10'000, 1000, kStart);
  std::vector<SeriesSink::Entry> entries(fleet.size());
  std::size_t sample = 0;
  for (auto unused : state) {
    state.PauseTiming();
    for (std::size_t i = 0; i < fleet.size(); ++i) {
      entries[i] = {fleet.labels(i), {fleet.TimeOf(sample), fleet.Value(i, sample % 1000)}};
    }
    ++sample;
    clock.Advance(15s);
    state.ResumeTiming();
    benchmark::DoNotOptimize(history->Append(entries));
    if (sample % 4 == 0) history->Maintain();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(fleet.size()));
}
BENCHMARK(BM_AppendEntries)->Unit(benchmark::kMillisecond);

void BM_PublishReadings(benchmark::State& state) {
  bench::TempFolder folder;
  ManualClock clock(kStart);
  auto history = *History::Open({.folder = folder.path()}, clock);
  Recorder recorder(*history);
  bench::Fleet fleet(10'000, 1000, kStart);
  std::vector<Labels> labels;
  for (std::size_t i = 0; i < fleet.size(); ++i) labels.push_back(fleet.labels(i));
  const auto family =
      std::make_shared<const Family>(std::make_shared<const FamilyHead>(), std::move(labels));
  std::size_t sample = 0;
  for (auto unused : state) {
    state.PauseTiming();
    auto reading = std::make_shared<Reading>();
    reading->time = fleet.TimeOf(sample);
    reading->families.push_back({family, {}, {}});
    for (std::size_t i = 0; i < fleet.size(); ++i) {
      reading->families[0].values.push_back(fleet.Value(i, sample % 1000));
    }
    ++sample;
    clock.Advance(15s);
    state.ResumeTiming();
    recorder.Publish({"bench", "fleet"}, reading);
    if (sample % 4 == 0) history->Maintain();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(fleet.size()));
}
BENCHMARK(BM_PublishReadings)->Unit(benchmark::kMillisecond);

void BM_EncodeChunk(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const bench::Fleet fleet(2'000, 481, kStart);
  Columns samples;
  std::string bytes;
  std::size_t size = 0;
  std::size_t series = 0;
  for (auto unused : state) {
    state.PauseTiming();
    samples.Clear();
    for (std::size_t j = 0; j < count; ++j) {
      samples.times.push_back(fleet.TimeOf(j));
      samples.values.push_back(fleet.Value(series % fleet.size(), j));
    }
    ++series;
    bytes.clear();
    state.ResumeTiming();
    EncodeChunk(samples.times, samples.values, kStart, bytes);
    size += bytes.size();
  }
  const auto total = state.iterations() * static_cast<std::int64_t>(count);
  state.SetItemsProcessed(total);
  state.counters["B_per_sample"] = static_cast<double>(size) / static_cast<double>(total);
}
BENCHMARK(BM_EncodeChunk)->Arg(16)->Arg(120)->Arg(480);

void BM_DecodeChunk(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const bench::Fleet fleet(2'000, 481, kStart);
  std::vector<std::string> chunks;
  Columns samples;
  for (std::size_t i = 0; i < fleet.size(); ++i) {
    samples.Clear();
    for (std::size_t j = 0; j < count; ++j) {
      samples.times.push_back(fleet.TimeOf(j));
      samples.values.push_back(fleet.Value(i, j));
    }
    EncodeChunk(samples.times, samples.values, kStart, chunks.emplace_back());
  }
  std::size_t i = 0;
  for (auto unused : state) {
    samples.Clear();
    if (!DecodeChunk(chunks[i++ % chunks.size()], kStart, samples)) std::abort();
    benchmark::DoNotOptimize(samples.values.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}
BENCHMARK(BM_DecodeChunk)->Arg(16)->Arg(120)->Arg(480);

using Op = Matcher::Op;

void Select(benchmark::State& state, const std::vector<Matcher>& matchers, std::int64_t hours) {
  FilledHistory& filled = Shared();
  const Timestamp end = filled.fleet.TimeOf(480);
  const TimeRange range{hours <= 0 ? end - 300'000 : end - hours * 3'600'000, end};
  std::size_t series = 0;
  std::size_t samples = 0;
  Columns columns;
  for (auto unused : state) {
    const auto selected = filled.history->Select(matchers, range);
    if (!selected) std::abort();
    series = selected->size();
    if (hours < 0) continue;
    samples = 0;
    for (const auto& one : *selected) {
      columns.Clear();
      if (!one->Read(range.from, range.to, columns)) std::abort();
      samples += columns.size();
    }
  }
  state.counters["series"] = static_cast<double>(series);
  state.counters["samples"] = static_cast<double>(samples);
}

const std::vector<Matcher> kOne{{Op::kEqual, "__name__", "node_load1"},
                                {Op::kEqual, "instance", "10.0.0.7:9100"}};
const std::vector<Matcher> kMetric{{Op::kEqual, "__name__", "node_cpu_seconds_total"}};
const std::vector<Matcher> kRegex{{Op::kEqual, "__name__", "node_cpu_seconds_total"},
                                  {Op::kRegex, "mode", "user|system"},
                                  {Op::kNotRegex, "instance", "10\\.0\\.0\\.1[0-9]:.*"}};
const std::vector<Matcher> kPrefix{{Op::kRegex, "__name__", "node_.*"}};

// Selecting alone (-1), with five minutes of samples (0), with an hour (1) and two (2).
BENCHMARK_CAPTURE(Select, only_one, kOne, -1)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Select, only_metric, kMetric, -1)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Select, only_regex, kRegex, -1)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Select, only_prefix, kPrefix, -1)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Select, instant_one, kOne, 0)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Select, instant_metric, kMetric, 0)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Select, instant_prefix, kPrefix, 0)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Select, hour_one, kOne, 1)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Select, hour_metric, kMetric, 1)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Select, hour_prefix, kPrefix, 1)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Select, two_hours_prefix, kPrefix, 2)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace vigia::history
