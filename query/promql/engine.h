// The query engine: PromQL in, answers out.
//
//     Engine engine(EngineOptions{});
//     auto answer = engine.Instant(history, "sum by (job) (rate(http_requests_total[5m]))", now);
//
// Stateless beyond its options, so any number of threads may query at once. Queries that are
// evaluated again and again (rules) are parsed once and given as a ParsedQuery.

#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/duration.h"
#include "core/series.h"
#include "query/promql/error.h"
#include "query/promql/syntax/options.h"
#include "query/promql/syntax/parser.h"
#include "query/promql/value.h"

namespace vigia::promql {

class Shared;

struct EngineOptions {
  Semantics semantics = Semantics::kPrometheus3;
  // Samples in memory at one time, over which a query fails.
  std::size_t max_samples = 50'000'000;
  Milliseconds timeout = std::chrono::minutes(2);
  // How old a sample may be to count as the current one.
  Milliseconds lookback = std::chrono::minutes(5);
  // Of subqueries without a step of their own.
  Milliseconds default_subquery_step = std::chrono::minutes(1);
  // Threads that a large query may use; 1 for none beside the caller's.
  unsigned threads = 1;
  Clock* clock = &SystemClock();
};

struct QueryOptions {
  std::stop_token stop;                  // requested when the client has gone
  std::optional<Milliseconds> timeout;   // at most the engine's
  std::optional<Milliseconds> lookback;  // in place of the engine's
  // For an instant: results that other queries at the same one left there (shared.h). Not with
  // Prometheus 2's semantics, where a query as a whole decides what its parts see.
  Shared* shared = nullptr;
};

struct QueryStats {
  std::size_t samples_read = 0;  // totalQueryableSamples
  std::size_t peak_samples = 0;
};

// An answer with what is to be said about it.
template <typename T>
struct Answer {
  T value;
  std::vector<std::string> warnings;
  std::vector<std::string> infos;
  QueryStats stats;
};

class Engine {
 public:
  explicit Engine(EngineOptions options) : options_(options) {}

  const EngineOptions& options() const { return options_; }

  QueryResult<ParsedQueryPtr> Parse(std::string_view query) const {
    return promql::Parse(query, options_.semantics);
  }

  // Times beyond 2^60 ms, before or after 1970, count as 2^60 ms.
  QueryResult<Answer<Value>> Instant(const SeriesSource& source, const ParsedQuery& query,
                                     Timestamp time, const QueryOptions& options = {}) const;
  QueryResult<Answer<Value>> Instant(const SeriesSource& source, std::string_view query,
                                     Timestamp time, const QueryOptions& options = {}) const;

  // At start, start + step, ... up to `end`. kBadData unless step is above 0, end not before
  // start, and the expression a scalar or an instant vector.
  QueryResult<Answer<Matrix>> Range(const SeriesSource& source, const ParsedQuery& query,
                                    Timestamp start, Timestamp end, Milliseconds step,
                                    const QueryOptions& options = {}) const;
  QueryResult<Answer<Matrix>> Range(const SeriesSource& source, std::string_view query,
                                    Timestamp start, Timestamp end, Milliseconds step,
                                    const QueryOptions& options = {}) const;

 private:
  struct Evaluation;

  const EngineOptions options_;
};

}  // namespace vigia::promql
