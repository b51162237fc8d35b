// The answer of a query as a person or a spreadsheet reads it.

#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/sample.h"

namespace vigia::exporter::cli {

struct QueryAnswer {
  struct Point {
    Timestamp time = 0;
    std::string value;  // as the API writes it
  };
  struct Series {
    std::map<std::string, std::string> labels;
    std::vector<Point> points;
  };

  bool range = false;  // several points per series
  std::vector<Series> series;
  std::vector<std::string> notes;  // warnings and infos
};

// From the JSON of the API; kCorrupt if it is none.
Result<QueryAnswer> ReadResult(std::string_view json);

// A line per series and its value; of a range its smallest, largest and last value, and a curve.
std::string ToTable(const QueryAnswer& answer);

// A line per sample: a column for each label, then time (RFC 3339) and value.
std::string ToCsv(const QueryAnswer& answer);

// The values as a line of `width` blocks, "▁▃█"; a blank where there is none. Each block stands for
// an equal part of [from, to] and shows the mean of what falls into it.
std::string Sparkline(const std::vector<QueryAnswer::Point>& points, Timestamp from, Timestamp to,
                      std::size_t width);

}  // namespace vigia::exporter::cli
