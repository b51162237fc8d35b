#include "query/promql/syntax/position.h"

#include <algorithm>

namespace vigia::promql {

std::string FormatPosition(std::string_view query, PositionRange range) {
  if (query.empty()) return "unknown position";
  if (range.start < 0 || static_cast<std::size_t>(range.start) > query.size()) {
    return "invalid position";
  }
  const auto before = query.substr(0, static_cast<std::size_t>(range.start));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto last_break = before.rfind('\n');
  const auto column =
      last_break == std::string_view::npos ? before.size() + 1 : before.size() - last_break;
  return std::to_string(line) + ":" + std::to_string(column);
}

}  // namespace vigia::promql
