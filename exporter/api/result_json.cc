#include "exporter/api/result_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/text/json.h"
#include "query/promql/format.h"

namespace vigia::api {
namespace {

// Numbers as Prometheus' API has them (util/jsonutil): never an exponent between 1e-6 and 1e21.
void AppendValue(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
    return;
  }
  std::array<char, 64> digits;
  char* const begin = digits.data();
  char* const most = begin + digits.size();
  constexpr double kExactIntegers = 9007199254740992.0;
  const double size = std::fabs(value);
  if (size < kExactIntegers) {
    // Most samples are whole numbers, and those are written several times faster.
    const auto whole = static_cast<std::int64_t>(value);
    if (static_cast<double>(whole) == value && (whole != 0 || !std::signbit(value))) {
      out.append(begin, std::to_chars(begin, most, whole).ptr);
      return;
    }
    const bool tiny = size != 0 && size < 1e-6;
    const auto format = tiny ? std::chars_format::scientific : std::chars_format::fixed;
    out.append(begin, std::to_chars(begin, most, value, format).ptr);
    return;
  }
  if (size < 1e21) {
    out += promql::FormatFixed(value);
    return;
  }
  out.append(begin, std::to_chars(begin, most, value, std::chars_format::scientific).ptr);
}

void AppendVector(std::string& out, const promql::InstantVector& vector, std::size_t limit) {
  const std::size_t count = limit == 0 ? vector.size() : std::min(limit, vector.size());
  for (std::size_t i = 0; i < count; ++i) {
    out += i == 0 ? "{\"metric\":" : ",{\"metric\":";
    AppendLabels(out, vector[i].labels);
    out += ",\"value\":";
    AppendSample(out, vector[i].time, vector[i].value);
    out += '}';
  }
}

void AppendMatrix(std::string& out, const promql::Matrix& matrix, std::size_t limit) {
  const std::size_t count = limit == 0 ? matrix.size() : std::min(limit, matrix.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0) out += ',';
    AppendSeries(out, matrix, i);
  }
}

}  // namespace

void AppendLabels(std::string& out, const Labels& labels) {
  char separator = '{';
  for (const auto& [name, value] : labels) {
    out += separator;
    text::AppendJsonString(out, name);
    out += ':';
    text::AppendJsonString(out, value);
    separator = ',';
  }
  if (separator == '{') out += '{';
  out += '}';
}

void AppendTime(std::string& out, Timestamp time) {
  std::array<char, 24> digits;
  if (time < 0) out += '-';
  const auto size = static_cast<std::uint64_t>(time < 0 ? -time : time);
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size / 1000).ptr;
  out.append(digits.data(), end);
  if (const auto rest = size % 1000; rest != 0) {
    const char fraction[] = {'.', static_cast<char>('0' + rest / 100),
                             static_cast<char>('0' + rest / 10 % 10),
                             static_cast<char>('0' + rest % 10)};
    out.append(fraction, sizeof fraction);
  }
}

void AppendSample(std::string& out, Timestamp time, double value) {
  out += '[';
  AppendTime(out, time);
  out += ",\"";
  AppendValue(out, value);
  out += "\"]";
}

void AppendSeries(std::string& out, const promql::Matrix& matrix, std::size_t i) {
  out += "{\"metric\":";
  AppendLabels(out, matrix.labels(i));
  out += ",\"values\":";
  char separator = '[';
  matrix.ForEachSample(i, [&](Timestamp time, double value) {
    out += separator;
    AppendSample(out, time, value);
    separator = ',';
  });
  if (separator == '[') out += '[';
  out += "]}";
}

void AppendInstant(std::string& out, const promql::Value& value, std::size_t limit) {
  if (const auto* scalar = std::get_if<promql::ScalarValue>(&value)) {
    out += "{\"resultType\":\"scalar\",\"result\":";
    AppendSample(out, scalar->time, scalar->value);
  } else if (const auto* string = std::get_if<promql::StringValue>(&value)) {
    out += "{\"resultType\":\"string\",\"result\":[";
    AppendTime(out, string->time);
    out += ',';
    text::AppendJsonString(out, string->value);
    out += ']';
  } else if (const auto* vector = std::get_if<promql::InstantVector>(&value)) {
    out += "{\"resultType\":\"vector\",\"result\":[";
    AppendVector(out, *vector, limit);
    out += ']';
  } else {
    out += "{\"resultType\":\"matrix\",\"result\":[";
    AppendMatrix(out, std::get<promql::Matrix>(value), limit);
    out += ']';
  }
}

}  // namespace vigia::api
