// Where something stands in the text of a query, and how Prometheus writes that down.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vigia::promql {

// Byte offsets into the query, the end exclusive.
struct PositionRange {
  std::int32_t start = 0;
  std::int32_t end = 0;

  friend bool operator==(const PositionRange&, const PositionRange&) = default;
};

// "line:column" of the start, both from 1, columns in bytes.
std::string FormatPosition(std::string_view query, PositionRange range);

}  // namespace vigia::promql
