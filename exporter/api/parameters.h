// The parameters of Prometheus' API, with its error texts.

#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/duration.h"
#include "core/series.h"
#include "exporter/api/answer.h"
#include "query/promql/syntax/options.h"

namespace vigia::api {

// Unix seconds, with a fraction, or RFC 3339.
std::optional<Timestamp> ParseTime(std::string_view text);
// Seconds, with a fraction, or a Prometheus duration.
std::optional<Milliseconds> ParseSpan(std::string_view text);

ApiResult<Timestamp> TimeParameter(const http::Request& request, std::string_view name,
                                   Timestamp fallback);
// Nothing if the parameter is absent.
ApiResult<std::optional<Milliseconds>> SpanParameter(const http::Request& request,
                                                     std::string_view name);
// 0 for none.
ApiResult<std::size_t> LimitParameter(const http::Request& request, std::string_view name);

// `start` and `end`, all of time where they are absent.
ApiResult<TimeRange> RangeParameters(const http::Request& request);

// Every `match[]`, parsed; each has to leave out at least one series.
ApiResult<std::vector<std::vector<Matcher>>> SelectorParameters(const http::Request& request,
                                                                promql::Semantics semantics);

}  // namespace vigia::api
