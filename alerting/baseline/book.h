// The Book of baselines: expressions that are evaluated at an interval, and one Detector for each
// series that they give. What the detectors say is written as ordinary series, with the labels of
// the series and `baseline="<name>"`:
//
//     vigia_baseline_expected, _lower, _upper    the normal, in the unit of the series
//     vigia_baseline_ratio                       value / expected
//     vigia_baseline_score                       0..1, how unlike its past
//     vigia_baseline_regression, _anomaly        1 or 0
//     vigia_baseline_learning                    1 while nothing is known yet, else 0
//     vigia_baseline_change_ratio                size of what is held: 0.6 is +60 %; 0 for nothing
//     vigia_baseline_since_timestamp_seconds     when it began, in Unix time, while there is one
//
// While a detector is learning, _regression and _anomaly are 0. A series that is not in an answer
// is not written, so it goes stale.
//
// A baseline that has no state yet learns from the past first: the expression is evaluated over
// the history that there is. States are kept in the state file, written in one transaction by
// Save(); a killed process loses what was learnt since. What is known of a series that has not been
// seen for kForgetAfter is deleted.
//
// Thread-safe; one evaluation runs at a time.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "alerting/baseline/detector.h"
#include "alerting/baseline/past.h"
#include "alerting/baseline/state_file.h"
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

// What a baseline says of one series now.
struct Line {
  Labels labels;  // of the series, without its name
  double value = 0;
  Verdict verdict;
};

// A metric of what is said, and its value; nothing where there is none.
struct Output {
  std::string_view metric;
  std::optional<double> (*value)(const Line& line);
};
std::span<const Output> Outputs();

class Book {
 public:
  static constexpr std::int64_t kForgetAfter = 35 * 86'400;  // seconds; five weeks

  struct Parts {
    const SeriesSource& source;
    const promql::Engine& engine;
    SeriesSink& sink;
    state::Database& database;
    // Whether what is seen at this time is learnt; empty: always. Called during evaluations.
    std::function<bool(Timestamp)> learns = {};
  };

  struct Report {
    std::size_t series = 0;
    std::size_t learning = 0;
    std::size_t regressions = 0;
    std::uint64_t over_budget = 0;  // series left out, counted at each evaluation
    std::uint64_t evaluations = 0;
    std::uint64_t failures = 0;
    double seconds = 0.0;  // that the last evaluation took
    std::string last_error;
  };

  // Of one baseline, as its last good evaluation left it.
  struct Page {
    Report report;
    std::vector<Line> lines;  // of the series that it gave
  };

  explicit Book(const Parts& parts) : parts_(parts) {}

  // Makes the tables and reads the states.
  Status Open();

  // Takes over definitions; baselines that are the same keep what they know, and so do those
  // whose options alone are other.
  void Apply(std::vector<Definition> definitions);

  // Evaluates what is due at `now`. An expression that fails is counted and leaves the others be.
  void Evaluate(Timestamp now);
  // What Evaluate() does for the baseline `name` with the answer to its expression at `now`, for
  // who has read it elsewhere (exporter/baselines/rerun.h). Nothing is read from the history.
  void Take(const std::string& name, const promql::InstantVector& answer, Timestamp now);

  // What people decide about series of a baseline: those whose labels `fit`. Each returns how many
  // it concerned, or kInvalid where there is no such baseline.
  using Fits = std::function<bool(const Labels& labels)>;
  // The present level is the normal from now on.
  Result<std::size_t> Accept(const std::string& name, const Fits& fit);
  // Takes back the last Accept(), or the one that a week of regression brought.
  Result<std::size_t> Undo(const std::string& name, const Fits& fit);
  // Learns anew.
  Result<std::size_t> Reset(const std::string& name, const Fits& fit);

  // What is known of series of the baseline `name` (of all for an empty name) whose labels fit, in
  // the order of their keys, from the one after `after` on and at most `limit`. `after` becomes the
  // key of the last one. kInvalid where there is no such baseline.
  using Key = std::pair<std::string, std::string>;  // baseline, text of the labels
  Result<std::vector<Learnt>> Export(const std::string& name, const Fits& fit, Key& after,
                                     std::size_t limit) const;

  struct ImportOptions {
    bool force =
        false;  // also where newer values have been learnt here, or from another expression
    bool check = false;  // says what it would do, and does nothing
  };
  struct Imported {
    std::size_t taken = 0;
    std::size_t newer = 0;            // left as they are: values have been learnt here since
    std::size_t over_budget = 0;      // left out because of max_series
    std::size_t misdated = 0;         // left out: older than kForgetAfter, or of the future
    std::set<std::string> unknown;    // baselines that are not configured here
    std::set<std::string> differing;  // baselines whose expression is another one here
  };
  // Takes over what was learnt elsewhere, or before, and has been checked by ReadStateFile().
  // In the state file when it returns; an error says that it is known, but not written.
  Result<Imported> Import(const std::vector<Learnt>& learnt, ImportOptions options, Timestamp now);

  // Baselines that have been evaluated and know too little: they have no series, or some of them
  // are learning.
  std::vector<Definition> Lacking() const;
  Past NewPast(const Definition& definition) const {
    return {definition.options, definition.max_series, parts_.learns};
  }
  // Gives the series that are learning what `past` knows, where that goes back a day further than
  // what they know, and series that have not been seen yet, too. What the history has after the end
  // of the past is added first. Returns how many series it was given to; 0 where the definition is
  // not that of a baseline any more.
  std::size_t TakePast(const Definition& definition, Past past, Timestamp now);

  // Writes the states that have changed.
  Status Save();

  // By name of the baseline. Does not wait for an evaluation.
  std::map<std::string, std::shared_ptr<const Page>> Pages() const;

 private:
  struct Tracked {
    Labels labels;
    Detector detector;
    Verdict verdict{.state = State::kLearning};
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
  Tracked* Track(Baseline& baseline, const Labels& labels, const std::string& key);
  // How many series of a baseline are known, in use or not.
  std::size_t CountKnown(const Baseline& baseline) const;
  void ImportOne(const Learnt& learnt, ImportOptions options, std::size_t& known,
                 Imported& outcome);
  Status SaveLocked();
  Result<std::size_t> Change(const std::string& name, const Fits& fit,
                             const std::function<bool(Tracked&, const Definition&)>& change);
  void BackFill(Baseline& baseline, Timestamp now);
  void AddRecent(const Definition& definition, Past& past, Timestamp now) const;
  void EvaluateOne(Baseline& baseline, Timestamp now);
  void EvaluateSeries(Baseline& baseline, const promql::InstantVector& vector, Timestamp now,
                      std::vector<Line>& lines);
  void Publish(const Baseline& baseline, std::vector<Line> lines);
  void ForgetOld();
  void ForgetOldStored();
  std::shared_ptr<const Page> PageOf(const std::string& name) const;

  const Parts parts_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, Baseline> baselines_;
  std::map<Key, std::string> stored_;  // not in use yet
  std::set<Key> imported_;             // of these, what Save() has to write
  std::vector<Key> forgotten_;         // to be deleted by Save()

  mutable std::mutex pages_mutex_;
  std::map<std::string, std::shared_ptr<const Page>> pages_;  // guarded by pages_mutex_
};

}  // namespace vigia::alerting::baseline
