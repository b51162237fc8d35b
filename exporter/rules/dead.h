// Dead rules: those that read nothing, because none of their selectors fits a series of the last
// day. They are not wrong, but nobody is told by them.

#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "core/clock.h"
#include "core/series.h"
#include "query/promql/syntax/parser.h"

namespace vigia::exporter {

// Looked up again after a minute. Thread-safe.
class DeadRules {
 public:
  // Both outlive it.
  DeadRules(const SeriesSource& source, Clock& clock) : source_(source), clock_(clock) {}

  // A query without selectors (vector(1)), or with absent(), is never dead.
  bool Contains(const promql::ParsedQuery& query);

 private:
  struct Found {
    bool dead = false;
    Instant until{};
  };

  bool ReadsNothing(const promql::ParsedQuery& query) const;

  const SeriesSource& source_;
  Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Found, std::less<>> found_;  // by the query's text; guarded by mutex_
};

}  // namespace vigia::exporter
