// What all parts of one evaluation share: where the data come from, the limits, and what has
// been used of them.
//
// Thread-safe where series are evaluated side by side: Charge(), Abort(), Stopped().

#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>

#include "core/clock.h"
#include "core/series.h"
#include "query/promql/annotations.h"
#include "query/promql/error.h"
#include "query/promql/eval/scope.h"
#include "query/promql/eval/steps.h"
#include "query/promql/syntax/options.h"

namespace vigia::promql {

struct Limits {
  std::size_t max_samples = 0;
  Deadline deadline;
  std::stop_token stop;
};

class Shared;

class Context {
 public:
  struct Settings {
    Semantics semantics = Semantics::kPrometheus3;
    std::int64_t lookback = 0;               // milliseconds
    std::int64_t default_subquery_step = 0;  // milliseconds
    unsigned threads = 1;
    bool instant = true;  // not a range query, even one of a single step
    // Where the query ends, as it was given: the last step may lie before it.
    Timestamp end = 0;
  };

  Context(const SeriesSource& source_, Settings settings_, Steps query_, Limits limits,
          Annotations& annotations_)
      : source(source_),
        settings(settings_),
        query(query_),
        annotations(annotations_),
        limits_(std::move(limits)) {}

  const SeriesSource& source;
  const Settings settings;
  const Steps query;  // of the query itself, for start() and end()
  Annotations& annotations;
  // What other queries at the same instant need, too; null where there are none.
  Shared* shared = nullptr;

  bool is2() const { return settings.semantics == Semantics::kPrometheus2; }

  bool instant() const { return settings.instant; }
  QueryTimes times() const { return {query.start, settings.end}; }

  // An error once time is up or the caller has gone.
  QueryStatus Check() const;

  // Counts samples as held in memory; aborts if there are too many of them.
  bool Charge(std::size_t samples);
  void Release(std::size_t samples) { held_.fetch_sub(samples, std::memory_order_relaxed); }
  std::size_t held() const { return held_.load(std::memory_order_relaxed); }
  // Sets what is held, when results take the place of what they were made from.
  QueryStatus Hold(std::size_t samples);
  // For memory that is about to be used for `cells` values, present or not.
  QueryStatus CheckSize(std::size_t rows, std::size_t steps) const;
  // Samples that were read, for the statistics.
  void CountRead(std::size_t samples) { read_.fetch_add(samples, std::memory_order_relaxed); }

  // Ends the evaluation with this error; the first one counts.
  void Abort(QueryError error);
  bool Stopped() const { return stopped_.load(std::memory_order_relaxed); }
  QueryStatus aborted() const;

  std::size_t peak() const { return peak_.load(std::memory_order_relaxed); }
  std::size_t read() const { return read_.load(std::memory_order_relaxed); }

  static QueryError TooManySamples();

 private:
  const Limits limits_;
  std::atomic<std::size_t> held_ = 0;
  std::atomic<std::size_t> peak_ = 0;
  std::atomic<std::size_t> read_ = 0;
  std::atomic<bool> stopped_ = false;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::optional<QueryError> error_;
};

}  // namespace vigia::promql
