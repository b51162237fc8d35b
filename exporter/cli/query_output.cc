#include "exporter/cli/query_output.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "core/labels.h"
#include "core/number.h"
#include "query/promql/format.h"

namespace vigia::exporter::cli {
namespace {

using nlohmann::json;
using Point = QueryAnswer::Point;
using Series = QueryAnswer::Series;

constexpr std::size_t kCurveWidth = 60;
// Wider names would leave no room for the values.
constexpr std::size_t kNameWidth = 72;

Point ReadPoint(const json& pair) {
  return {std::llround(pair.at(0).get<double>() * 1000), pair.at(1).get<std::string>()};
}

void ReadSeries(const json& list, QueryAnswer& answer) {
  for (const auto& item : list) {
    Series series;
    series.labels = item.at("metric").get<std::map<std::string, std::string>>();
    if (item.contains("value")) series.points.push_back(ReadPoint(item.at("value")));
    if (item.contains("values")) {
      for (const auto& pair : item.at("values")) series.points.push_back(ReadPoint(pair));
    }
    answer.series.push_back(std::move(series));
  }
}

std::string NameOf(const Series& series) {
  std::vector<LabelView> labels;
  for (const auto& [name, value] : series.labels) labels.push_back({name, value});
  return Labels::FromPairs(labels).ToString();
}

// In characters, as far as UTF-8 tells.
std::size_t WidthOf(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

using Row = std::vector<std::string>;

// The first column to the left, numbers to the right, the curve as it is.
std::string Align(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], WidthOf(row[i]));
  }
  if (!widths.empty()) widths[0] = std::min(widths[0], kNameWidth);
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::size_t width = WidthOf(row[i]);
      const std::string blanks(widths[i] > width ? widths[i] - width : 0, ' ');
      if (i != 0) line += "  ";
      line += i == 0 || i == 4 ? row[i] + blanks : blanks + row[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

struct Extent {
  double least = std::numeric_limits<double>::infinity();
  double most = -std::numeric_limits<double>::infinity();

  void Add(double value) {
    if (!std::isfinite(value)) return;
    least = std::min(least, value);
    most = std::max(most, value);
  }
  bool empty() const { return least > most; }
};

Extent ExtentOf(const std::vector<Point>& points) {
  Extent extent;
  for (const auto& point : points) extent.Add(ParseDouble(point.value).value_or(kNaN));
  return extent;
}

std::string Short(double value) {
  return std::isfinite(value) ? promql::FormatGeneral(std::round(value * 1e6) / 1e6) : "-";
}

std::string RangeTable(const QueryAnswer& answer) {
  Timestamp from = std::numeric_limits<Timestamp>::max();
  Timestamp to = std::numeric_limits<Timestamp>::min();
  for (const auto& series : answer.series) {
    if (series.points.empty()) continue;
    from = std::min(from, series.points.front().time);
    to = std::max(to, series.points.back().time);
  }
  std::vector<Row> rows{{"SERIES", "MIN", "MAX", "LAST",
                         promql::FormatRfc3339(from) + " ... " + promql::FormatRfc3339(to)}};
  for (const auto& series : answer.series) {
    if (series.points.empty()) continue;
    const auto extent = ExtentOf(series.points);
    rows.push_back({NameOf(series), Short(extent.empty() ? kNaN : extent.least),
                    Short(extent.empty() ? kNaN : extent.most), series.points.back().value,
                    Sparkline(series.points, from, to, kCurveWidth)});
  }
  return Align(rows);
}

std::string InstantTable(const QueryAnswer& answer) {
  std::vector<Row> rows{{"SERIES", "VALUE"}};
  for (const auto& series : answer.series) {
    if (!series.points.empty()) rows.push_back({NameOf(series), series.points.front().value});
  }
  return Align(rows);
}

// RFC 3339, with milliseconds where there are any.
std::string FormatTime(Timestamp time) {
  std::string text = promql::FormatRfc3339(time);
  const auto rest = (time % 1000 + 1000) % 1000;
  if (rest == 0) return text;
  std::string digits = std::to_string(1000 + rest);
  digits[0] = '.';
  return text.insert(text.size() - 1, digits);
}

// RFC 4180.
std::string Cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

Result<QueryAnswer> ReadResult(std::string_view text) {
  try {
    const auto envelope = json::parse(text);
    QueryAnswer answer;
    for (const auto* key : {"warnings", "infos"}) {
      if (!envelope.contains(key)) continue;
      for (const auto& note : envelope.at(key)) answer.notes.push_back(note.get<std::string>());
    }
    const auto& data = envelope.at("data");
    const auto type = data.at("resultType").get<std::string>();
    answer.range = type == "matrix";
    if (type == "scalar" || type == "string") {
      answer.series.push_back({{}, {ReadPoint(data.at("result"))}});
    } else {
      ReadSeries(data.at("result"), answer);
    }
    return answer;
  } catch (const json::exception& error) {
    return Fail(ErrorCode::kCorrupt,
                std::string("the answer is not that of a Prometheus API: ") + error.what());
  }
}

std::string ToTable(const QueryAnswer& answer) {
  if (answer.series.empty()) return "no series\n";
  return answer.range ? RangeTable(answer) : InstantTable(answer);
}

std::string ToCsv(const QueryAnswer& answer) {
  std::set<std::string> names;
  for (const auto& series : answer.series) {
    for (const auto& [name, value] : series.labels) names.insert(name);
  }
  std::string out;
  for (const auto& name : names) out += Cell(name) + ",";
  out += "time,value\n";
  for (const auto& series : answer.series) {
    std::string labels;
    for (const auto& name : names) {
      const auto at = series.labels.find(name);
      labels += (at == series.labels.end() ? "" : Cell(at->second)) + ",";
    }
    for (const auto& [time, value] : series.points) {
      out += labels + FormatTime(time) + "," + Cell(value) + "\n";
    }
  }
  return out;
}

std::string Sparkline(const std::vector<Point>& points, Timestamp from, Timestamp to,
                      std::size_t width) {
  constexpr std::array kBlocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::vector<double> sums(width);
  std::vector<std::size_t> counts(width);
  Extent extent;
  for (const auto& point : points) {
    const double value = ParseDouble(point.value).value_or(kNaN);
    if (!std::isfinite(value)) continue;
    const double part =
        to > from ? static_cast<double>(point.time - from) / static_cast<double>(to - from) : 0;
    const auto at =
        std::min(width - 1, static_cast<std::size_t>(part * static_cast<double>(width)));
    sums[at] += value;
    ++counts[at];
    extent.Add(value);
  }
  std::string line;
  for (std::size_t i = 0; i < width; ++i) {
    if (counts[i] == 0) {
      line += ' ';
      continue;
    }
    const double mean = sums[i] / static_cast<double>(counts[i]);
    const double height =
        extent.most > extent.least ? (mean - extent.least) / (extent.most - extent.least) : 0;
    line += kBlocks[static_cast<std::size_t>(std::lround(height * (kBlocks.size() - 1)))];
  }
  return line;
}

}  // namespace vigia::exporter::cli
