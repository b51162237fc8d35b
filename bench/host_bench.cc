// What a run of each host subject costs on this machine: Collect() and Batch::Finish() over the
// live /proc and /sys. "all" runs those that are on by default, one after another, as a scrape
// does.
//
//     build/bench/bench/host_bench --benchmark_repetitions=9
//     --benchmark_report_aggregates_only=true

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "collectors/host/part.h"

namespace vigia::collectors::host {
namespace {

struct Subject {
  std::unique_ptr<Collector> collector;
  Batch batch;

  explicit Subject(const PartInfo& part) {
    const config::Node none;
    config::Diagnostics diagnostics("defaults");
    config::MapReader options(none, diagnostics);
    collector = part.make(Paths{}, options);
  }

  // Returns the number of series, or 0 and the reason on failure.
  std::size_t Run(std::string& failure) {
    if (auto status = collector->Collect(Deadline::After(SystemClock(), 10s), batch); !status) {
      failure = status.error().message();
      batch.Discard();
      return 0;
    }
    return batch.Finish(SystemClock().Wall())->SeriesCount();
  }
};

void Measure(benchmark::State& state, std::vector<Subject*> subjects) {
  std::size_t series = 0;
  std::string failure;
  for (auto* subject : subjects) subject->Run(failure);  // the first run makes the labels
  if (subjects.size() == 1 && !failure.empty()) {
    state.SkipWithError(failure.c_str());
    return;
  }
  for (auto _ : state) {
    series = 0;
    for (auto* subject : subjects) series += subject->Run(failure);
  }
  state.counters["series"] = static_cast<double>(series);
}

}  // namespace
}  // namespace vigia::collectors::host

int main(int argc, char** argv) {
  using namespace vigia::collectors::host;
  std::vector<std::unique_ptr<Subject>> subjects;
  std::vector<Subject*> on;
  for (const auto& part : Parts()) {
    subjects.push_back(std::make_unique<Subject>(part));
    auto* const subject = subjects.back().get();
    if (part.on) on.push_back(subject);
    benchmark::RegisterBenchmark(std::string(part.name).c_str(), [subject](
                                                                     benchmark::State& state) {
      Measure(state, {subject});
    })->Unit(benchmark::kMicrosecond);
  }
  benchmark::RegisterBenchmark("all", [on](benchmark::State& state) {
    Measure(state, on);
  })->Unit(benchmark::kMicrosecond);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
