// Tells whether the data behind a result is there, gone, or unknown.
//
// When an alert is no longer in the result of its expression there are three reasons: the condition
// is false, the series are gone, or nobody knows because the source did not answer. The series are
// those that the expression's selectors choose and that agree with the alert in every label that
// both have, but for labels that the rule or the expression set themselves.
//
// Made for one evaluation; not thread-safe.

#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/labels.h"
#include "core/series.h"
#include "query/promql/syntax/parser.h"

namespace vigia::alerting::rules {

enum class DataState : std::uint8_t { kPresent, kGone, kUnknown };

class DataStates {
 public:
  struct Options {
    Timestamp time = 0;
    std::int64_t lookback = 0;
    // When this process began to remember; a series that was there before and has not been heard
    // of since is unknown for one look-back. 0 for never.
    Timestamp started = 0;
    // When the process before it evaluated last: a series that had ended by then is gone. 0 if
    // nobody knows; then none had.
    Timestamp stopped = 0;
  };

  // Reads the newest sample of every series that `query` selects. `source` outlives this.
  static Result<DataStates> Read(const SeriesSource& source, const promql::ParsedQuery& query,
                                 const Options& options);

  // Of a result; `overridden` names labels that say nothing about its data.
  DataState Of(const Labels& result, const std::set<std::string, std::less<>>& overridden);

  // Whether any series at all is unknown.
  bool AnyUnknown() const { return any_unknown_; }

 private:
  struct Selected {
    Labels labels;
    DataState state;
  };
  // The series of one selector.
  struct Table {
    std::vector<Selected> series;
    // For each set of label names looked up so far: the state by the values of these labels.
    std::unordered_map<std::string, std::unordered_map<std::string, DataState>> joins;
  };

  DataState Of(Table& table, const Labels& result,
               const std::set<std::string, std::less<>>& overridden);

  std::vector<Table> tables_;
  std::set<std::string, std::less<>> set_by_query_;
  bool any_unknown_ = false;
};

}  // namespace vigia::alerting::rules
