#include "query/promql/eval/data_range.h"

#include <algorithm>
#include <limits>

namespace vigia::promql {
namespace {

// Where a modifier moves the end of what is looked at.
Timestamp Move(const TimeShift& shift, Timestamp end, const QueryRange& query) {
  switch (shift.at) {
    case TimeShift::At::kNone:
      break;
    case TimeShift::At::kTime:
      end = shift.time;
      break;
    case TimeShift::At::kStart:
      end = query.start;
      break;
    case TimeShift::At::kEnd:
      end = query.end;
      break;
  }
  constexpr Timestamp kFarthest = Timestamp{1} << 60;
  return std::clamp(end, -kFarthest, kFarthest) - shift.offset;
}

Timestamp Newest(const Expr& expr, Timestamp end, const QueryRange& query) {
  if (expr.kind == NodeKind::kVectorSelector) {
    return Move(static_cast<const VectorSelector&>(expr).shift, end, query);
  }
  if (expr.kind == NodeKind::kSubquery) {
    end = Move(static_cast<const Subquery&>(expr).shift, end, query);
  }
  Timestamp newest = std::numeric_limits<Timestamp>::min();
  VisitChildren(expr,
                [&](const Expr& child) { newest = std::max(newest, Newest(child, end, query)); });
  return newest;
}

}  // namespace

Timestamp NewestDataTime(const Expr& expr, const QueryRange& query) {
  return Newest(expr, query.end, query);
}

}  // namespace vigia::promql
