// Labels, samples and query results as the API writes them.

#pragma once

#include <string>
#include <vector>

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

// The series of a matrix, whose steps are put into words once.
class MatrixWriter {
 public:
  // Borrows the matrix.
  explicit MatrixWriter(const promql::Matrix& matrix);
  void AppendSeries(std::string& out, std::size_t i) const;

 private:
  const promql::Matrix& matrix_;
  std::vector<std::string> begins_;  // per step
};

}  // namespace vigia::api
