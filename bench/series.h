// Series for the benchmarks: families of 100 series with 4 labels each, 60 % of the values whole
// numbers, the others with six decimals.

#pragma once

#include <deque>
#include <random>
#include <string>
#include <vector>

#include "core/batch.h"

namespace vigia::bench {

class SeriesSource {
 public:
  explicit SeriesSource(std::size_t count) {
    constexpr std::size_t kPerFamily = 100;
    for (std::size_t f = 0; f * kPerFamily < count; ++f) {
      const auto number = std::to_string(f);
      names_.push_back("application_subsystem_requests_" + number + "_total");
      metrics_.push_back({names_.back(), "How many requests there were.", MetricType::kCounter});
    }
    for (std::size_t i = 0; i < count; ++i) {
      series_.push_back({&metrics_[i / kPerFamily],
                         {"production", i % 2 ? "GET" : "POST",
                          "/api/v1/posts/" + std::to_string(i % kPerFamily), "200"}});
    }
    Change();
  }

  std::size_t size() const { return series_.size(); }

  // Gives every series another value.
  void Change() {
    values_.resize(series_.size());
    for (auto& value : values_) {
      const auto number = random_();
      value = number % 10 < 6 ? static_cast<double>(number % 1'000'000)
                              : static_cast<double>(number % 1'000'000'000) / 1e6;
    }
  }

  // Puts all series into `batch`, but one that changes its place in the world with `generation`.
  void AddTo(Batch& batch, std::size_t generation = 0) const {
    for (std::size_t i = 0; i < series_.size(); ++i) {
      const auto& [metric, values] = series_[i];
      const std::string changed = generation == 0 ? "" : "/changed/" + std::to_string(generation);
      const bool odd = generation != 0 && i == series_.size() / 2;
      batch.Add(*metric,
                {{"environment", values[0]},
                 {"method", values[1]},
                 {"path", odd ? std::string_view(changed) : std::string_view(values[2])},
                 {"code", values[3]}},
                values_[i]);
    }
  }

 private:
  struct Series {
    const Metric* metric;
    std::vector<std::string> values;
  };

  std::deque<std::string> names_;
  std::deque<Metric> metrics_;
  std::vector<Series> series_;
  std::vector<double> values_;
  std::mt19937 random_{42};
};

}  // namespace vigia::bench
