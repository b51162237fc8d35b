// A history in a temporary folder that takes a fleet's samples in slices of ten minutes, as remote
// write brings them.

#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bench/fleet.h"
#include "core/clock.h"
#include "query/history/history.h"

namespace vigia::bench {

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vigia-bench-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) std::abort();
    path_ = pattern;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  double Bytes() const {
    std::uintmax_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) bytes += entry.file_size();
    return static_cast<double>(bytes);
  }

 private:
  std::filesystem::path path_;
};

class FilledHistory {
 public:
  static constexpr Timestamp kStart = 1'763'892'900'000;

  struct Options {
    // A file is written after so much time of samples.
    std::chrono::milliseconds block_length = history::Options{}.block_length;
    std::size_t more = 0;  // samples that PushOne() may add to each series
  };

  FilledHistory(std::size_t series, std::size_t samples)
      : FilledHistory(series, samples, Options{}) {}
  FilledHistory(std::size_t series, std::size_t samples, Options options)
      : fleet(series, samples + options.more, kStart), options_(options), samples_(samples) {
    clock.JumpWall(std::chrono::milliseconds(kStart - clock.Wall()));
    Open();
  }

  // All samples; returns the seconds of CPU that it took.
  double Fill() {
    const std::clock_t begin = std::clock();
    for (std::size_t slice = 0; slice < samples_; slice += kSlice) {
      PushUntil(std::min(samples_, slice + kSlice));
      history->Maintain();
    }
    return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  }

  void Open() {
    history.reset();
    auto opened = history::History::Open(
        {.folder = folder.path(), .block_length = options_.block_length}, clock);
    if (!opened) std::abort();
    history = std::move(*opened);
  }

  // One sample for each series.
  void PushOne() { PushUntil(pushed_ + 1); }
  // The time of the newest samples.
  Timestamp now() const { return fleet.TimeOf(pushed_ - 1); }

  TempFolder folder;
  ManualClock clock;
  Fleet fleet;
  std::unique_ptr<history::History> history;

 private:
  static constexpr std::size_t kSlice = 40;

  void PushUntil(std::size_t end) {
    constexpr std::size_t kSeriesPerRequest = 2000;
    clock.Advance(std::chrono::milliseconds(Fleet::kStep) * static_cast<int>(end - pushed_));
    std::vector<Sample> samples;
    std::vector<SeriesSink::Run> runs;
    for (std::size_t first = 0; first < fleet.size(); first += kSeriesPerRequest) {
      const std::size_t last = std::min(fleet.size(), first + kSeriesPerRequest);
      samples.clear();
      runs.clear();
      samples.reserve((last - first) * (end - pushed_));
      for (std::size_t i = first; i < last; ++i) {
        const std::size_t at = samples.size();
        for (std::size_t j = pushed_; j < end; ++j) {
          samples.push_back({fleet.TimeOf(j), fleet.Value(i, j)});
        }
        runs.push_back({&fleet.labels(i), std::span(samples).subspan(at)});
      }
      const auto outcome = history->AppendRuns(runs);
      if (!outcome || outcome->stored != samples.size()) std::abort();
    }
    pushed_ = end;
  }

  const Options options_;
  const std::size_t samples_;
  std::size_t pushed_ = 0;
};

}  // namespace vigia::bench
