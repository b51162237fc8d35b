// Labels, samples and query results as the API writes them.

#pragma once

#include <string>

#include "core/labels.h"
#include "query/promql/value.h"

namespace vigia::api {

// {"__name__":"up","job":"x"}
void AppendLabels(std::string& out, const Labels& labels);
// Unix seconds, milliseconds where there are any: 1435781430.781.
void AppendTime(std::string& out, Timestamp time);
// [1435781430.781,"1.5"]
void AppendSample(std::string& out, Timestamp time, double value);

// {"resultType":"vector","result":[...]} without the closing brace, so that statistics may follow.
void AppendInstant(std::string& out, const promql::Value& value, std::size_t limit);
// One series of a matrix.
void AppendSeries(std::string& out, const promql::Matrix& matrix, std::size_t i);

}  // namespace vigia::api
