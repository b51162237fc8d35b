#include "query/promql/eval/scope.h"

#include <algorithm>

namespace vigia::promql {

Timestamp TimeNamed(const TimeShift& shift, const QueryTimes& query) {
  switch (shift.at) {
    case TimeShift::At::kStart:
      return query.start;
    case TimeShift::At::kEnd:
      return query.end;
    default:
      return std::clamp(shift.time, -kFarthest, kFarthest);
  }
}

Scope Scope::Within(const Subquery& subquery, const Steps& outer, Timestamp inner_start,
                    const QueryTimes& query) const {
  const TimeShift& shift = subquery.shift;
  Scope inner = *this;
  inner.offset += shift.offset;
  inner.window += subquery.window;
  inner.at_drift += shift.offset;
  if (shift.at != TimeShift::At::kNone) {
    const Timestamp named = TimeNamed(shift, query);
    inner.offset = shift.offset;
    inner.window = subquery.window;
    inner.at = named;
    inner.at_drift = shift.offset + outer.start - named;
  }
  if (inner_start != outer.start) inner.at_drift = 0;
  return inner;
}

TimeRange Scope::Stored(const TimeShift& shift, std::int64_t reach, const QueryTimes& query) const {
  TimeRange range{at.value_or(query.start), at.value_or(query.end)};
  if (shift.at != TimeShift::At::kNone) {
    range.from = range.to = TimeNamed(shift, query);
  } else {
    range.from -= offset + window;
    range.to -= offset;
  }
  return {range.from - reach - shift.offset, range.to - shift.offset};
}

}  // namespace vigia::promql
