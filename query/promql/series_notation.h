// The notation of series and values in Prometheus' test files:
//
//     http_requests_total{job="api"} 0+10x5 _ _x3 stale 7
//
// `a+bxn` is a, a + b, ..., n + 1 values; `_` a step without a sample; `stale` the marker of a
// series that is gone. `unknown` is vigia's own: the marker of a source that did not answer.

#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/labels.h"
#include "core/result.h"

namespace vigia::promql {

struct SeriesLine {
  Labels labels;
  bool native = false;  // has native histograms, which are left out of the values
  // Per step; nothing where the line says "_".
  std::vector<std::optional<double>> values;
};
Result<SeriesLine> ParseSeriesLine(std::string_view line);

// `name{label="value"}` alone.
Result<Labels> ParseSeriesLabels(std::string_view text);

}  // namespace vigia::promql
