#include "query/promql/series_notation.h"

#include <cctype>
#include <cstdint>
#include <string>

#include "core/number.h"
#include "core/sample.h"
#include "query/promql/syntax/parser.h"

namespace vigia::promql {
namespace {

// A line says at most so many values: a slip of the hand shall not fill the memory.
constexpr std::uint64_t kMaxRepeats = 10'000'000;

std::string_view Trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

std::string_view TakeWord(std::string_view& rest) {
  rest = Trim(rest);
  const auto end = rest.find_first_of(" \t");
  const auto word = rest.substr(0, end);
  rest.remove_prefix(word.size());
  rest = Trim(rest);
  return word;
}

Error Bad(std::string_view what, std::string_view text) {
  return {ErrorCode::kInvalid, std::string(what) + " '" + std::string(text) + "'"};
}

// Where `name{...}` ends.
std::size_t EndOfMetric(std::string_view line) {
  std::size_t at = 0;
  while (at < line.size() && line[at] != '{' &&
         !std::isspace(static_cast<unsigned char>(line[at]))) {
    ++at;
  }
  if (at >= line.size() || line[at] != '{') return at;
  char quote = 0;
  for (; at < line.size(); ++at) {
    const char c = line[at];
    if (quote != 0) {
      if (c == '\\' && quote != '`') {
        ++at;
      } else if (c == quote) {
        quote = 0;
      }
    } else if (c == '"' || c == '\'' || c == '`') {
      quote = c;
    } else if (c == '}') {
      return at + 1;
    }
  }
  return at;
}

// The longest number at the front of `text`, without hexadecimal; removes it.
std::optional<double> TakeNumber(std::string_view& text) {
  for (std::size_t length = text.size(); length > 0; --length) {
    const auto part = text.substr(0, length);
    if (part.find_first_of("xX_") != std::string_view::npos) continue;
    const auto value = ParseDouble(part);
    if (!value) continue;
    text.remove_prefix(length);
    return *value;
  }
  return std::nullopt;
}

// "1+2x3": the item's values, appended.
Status ParseItem(std::string_view item, std::vector<std::optional<double>>& out) {
  const std::string_view whole = item;
  std::optional<double> value;
  bool gap = false;
  if (item.starts_with('_')) {
    gap = true;
    item.remove_prefix(1);
  } else if (item.starts_with("stale")) {
    value = GoneMarker();
    item.remove_prefix(5);
  } else if (item.starts_with("unknown")) {
    value = UnknownMarker();
    item.remove_prefix(7);
  } else if (value = TakeNumber(item); !value) {
    return Fail(Bad("not a value:", whole));
  }
  double step = 0;
  if (!item.empty() && (item[0] == '+' || item[0] == '-')) {
    const auto given = TakeNumber(item);
    if (!given) return Fail(Bad("not a value:", whole));
    step = *given;
  }
  std::uint64_t repeats = 0;
  if (item.starts_with('x')) {
    const auto count = ParseUint(item.substr(1));
    if (!count) return Fail(count.error());
    if (*count > kMaxRepeats) return Fail(Bad("too many values:", whole));
    repeats = *count;
  } else if (!item.empty()) {
    return Fail(Bad("not a value:", whole));
  } else {
    repeats = gap ? 1 : 0;
  }
  if (gap) {
    out.insert(out.end(), repeats, std::nullopt);
    return Ok();
  }
  out.push_back(value);
  for (std::uint64_t i = 0; i < repeats; ++i) {
    if (step != 0) value = *value + step;
    out.push_back(value);
  }
  return Ok();
}

}  // namespace

Result<Labels> ParseSeriesLabels(std::string_view text) {
  const auto matchers = ParseSelector(text);
  if (!matchers) return Fail(ErrorCode::kInvalid, matchers.error().message);
  LabelsBuilder builder;
  for (const auto& matcher : *matchers) builder.Set(matcher.name, matcher.value);
  return builder.Build();
}

Result<SeriesLine> ParseSeriesLine(std::string_view line) {
  SeriesLine series;
  const std::size_t end = EndOfMetric(line);
  auto labels = ParseSeriesLabels(line.substr(0, end));
  if (!labels) return Fail(labels.error());
  series.labels = std::move(*labels);
  auto rest = Trim(line.substr(end));
  if (rest.find("{{") != std::string_view::npos) {
    series.native = true;
    return series;
  }
  while (!rest.empty()) {
    if (auto status = ParseItem(TakeWord(rest), series.values); !status) {
      return Fail(status.error());
    }
  }
  return series;
}

}  // namespace vigia::promql
