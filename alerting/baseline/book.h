// The Book of baselines: expressions that are evaluated at an interval, and one Detector for each
// series that they give. What the detectors say is written as ordinary series, with the labels of
// the series and `baseline="<name>"`:
//
//     vigia_baseline_expected, _lower, _upper    the normal, in the unit of the series
//     vigia_baseline_ratio                       value / expected
//     vigia_baseline_score                       0..1, how unlike its past
//     vigia_baseline_regression, _anomaly        1 or 0
//
// While a detector is learning, _regression and _anomaly are 0. A series that is not in an answer
// is not written, so it goes stale.
//
// A baseline that has no state yet learns from the past first: the expression is evaluated over
// the history that there is. States are kept in the state file, written in one transaction by
// Save(); a killed process loses what was learnt since.
//
// Thread-safe; one evaluation runs at a time.

#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "alerting/baseline/detector.h"
#include "alerting/state/database.h"
#include "core/duration.h"
#include "core/series.h"
#include "query/promql/engine.h"

namespace vigia::alerting::baseline {

struct Definition {
  std::string name;
  std::string expression;
  promql::ParsedQueryPtr query;
  Detector::Options options;
  Milliseconds interval{60'000};
  std::size_t max_series = 1000;

  friend bool operator==(const Definition& a, const Definition& b) {
    return a.name == b.name && a.expression == b.expression && a.options == b.options &&
           a.interval == b.interval && a.max_series == b.max_series;
  }
};

class Book {
 public:
  struct Parts {
    const SeriesSource& source;
    const promql::Engine& engine;
    SeriesSink& sink;
    state::Database& database;
  };

  struct Report {
    std::size_t series = 0;
    std::size_t learning = 0;
    std::size_t regressions = 0;
    std::uint64_t over_budget = 0;  // series left out, counted at each evaluation
    std::uint64_t evaluations = 0;
    std::uint64_t failures = 0;
    std::string last_error;
  };

  explicit Book(const Parts& parts) : parts_(parts) {}

  // Makes the tables and reads the states.
  Status Open();

  // Takes over definitions; baselines that are the same keep what they know, and so do those
  // whose options alone are other.
  void Apply(std::vector<Definition> definitions);

  // Evaluates what is due at `now`. An expression that fails is counted and leaves the others be.
  void Evaluate(Timestamp now);

  // Writes the states that have changed.
  Status Save();

  // By name of the baseline.
  std::map<std::string, Report> Reports() const;

 private:
  struct Tracked {
    Detector detector;
    State state = State::kLearning;
    bool dirty = true;
  };

  struct Baseline {
    Definition definition;
    std::int64_t tick = -1;  // number of the interval that was evaluated last
    bool filled = false;
    std::map<std::string, Tracked> series;  // by the text of their labels
    Report report;
  };

  // The detector of a series, from its stored state if there is one; nullptr over budget.
  Tracked* Track(Baseline& baseline, const std::string& key);
  void BackFill(Baseline& baseline, Timestamp now);
  void EvaluateOne(Baseline& baseline, Timestamp now);

  const Parts parts_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, Baseline> baselines_;
  std::map<std::pair<std::string, std::string>, std::string> stored_;  // not in use yet
};

}  // namespace vigia::alerting::baseline
