#include "exporter/api/result_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <string_view>

#include "core/text/json.h"
#include "query/promql/format.h"

namespace vigia::api {
namespace {

// Enough for a sample, its brackets and its time.
constexpr std::size_t kMostSample = 128;
using SampleText = std::array<char, kMostSample>;

char* Put(char* at, std::string_view text) {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

// A number of at most six decimals, or null: the fifteen digits that such a one has at most name it
// and no other, so they are its shortest form, found faster than by to_chars().
char* PutDecimal(char* at, char* most, double value) {
  constexpr double kScale = 1e6;
  constexpr double kMostDigits = 1e15;
  const double scaled = std::round(value * kScale);
  if (!(std::fabs(scaled) < kMostDigits) || scaled == 0 || scaled / kScale != value) return nullptr;
  auto digits = static_cast<std::uint64_t>(std::fabs(scaled));
  if (value < 0) *at++ = '-';
  at = std::to_chars(at, most, digits / 1'000'000).ptr;
  auto fraction = static_cast<std::uint32_t>(digits % 1'000'000);
  std::array<char, 6> decimals{};
  for (std::size_t i = decimals.size(); i-- > 0; fraction /= 10) {
    decimals[i] = static_cast<char>('0' + fraction % 10);
  }
  std::size_t count = decimals.size();
  while (decimals[count - 1] == '0') --count;  // it is not whole: that is another's case
  *at++ = '.';
  return Put(at, {decimals.data(), count});
}

// Numbers as Prometheus' API has them (util/jsonutil): never an exponent between 1e-6 and 1e21.
char* PutValue(char* at, double value) {
  if (std::isnan(value)) return Put(at, "NaN");
  if (std::isinf(value)) return Put(at, value > 0 ? "+Inf" : "-Inf");
  char* const most = at + kMostSample / 2;
  constexpr double kExactIntegers = 9007199254740992.0;
  const double size = std::fabs(value);
  if (size < kExactIntegers) {
    // Most samples are whole numbers, and those are written several times faster.
    const auto whole = static_cast<std::int64_t>(value);
    if (static_cast<double>(whole) == value && (whole != 0 || !std::signbit(value))) {
      return std::to_chars(at, most, whole).ptr;
    }
    if (char* const end = PutDecimal(at, most, value)) return end;
    const bool tiny = size != 0 && size < 1e-6;
    const auto format = tiny ? std::chars_format::scientific : std::chars_format::fixed;
    return std::to_chars(at, most, value, format).ptr;
  }
  if (size < 1e21) return Put(at, promql::FormatFixed(value));
  return std::to_chars(at, most, value, std::chars_format::scientific).ptr;
}

// Seconds, with milliseconds where there are some.
char* PutTime(char* at, Timestamp time) {
  if (time < 0) *at++ = '-';
  const auto size = static_cast<std::uint64_t>(time < 0 ? -time : time);
  at = std::to_chars(at, at + 24, size / 1000).ptr;
  const auto rest = size % 1000;
  if (rest == 0) return at;
  *at++ = '.';
  *at++ = static_cast<char>('0' + rest / 100);
  *at++ = static_cast<char>('0' + rest / 10 % 10);
  *at++ = static_cast<char>('0' + rest % 10);
  return at;
}

// What stands before the value: `[1700000000,"`.
char* PutSampleBegin(char* at, Timestamp time) {
  *at++ = '[';
  return Put(PutTime(at, time), ",\"");
}

char* PutSample(char* at, Timestamp time, double value) {
  return Put(PutValue(PutSampleBegin(at, time), value), "\"]");
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
  const MatrixWriter writer(matrix);
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0) out += ',';
    writer.AppendSeries(out, i);
  }
}

// Gathers text, so that a string does not grow sample by sample.
class Gatherer {
 public:
  explicit Gatherer(std::string& out) : out_(out) {}
  ~Gatherer() { Flush(); }

  // Where the next kMostSample bytes may be put.
  char* Room() {
    if (buffer_.size() - used_ < kMostSample) Flush();
    return buffer_.data() + used_;
  }
  void Used(const char* end) { used_ = static_cast<std::size_t>(end - buffer_.data()); }

 private:
  void Flush() {
    out_.append(buffer_.data(), used_);
    used_ = 0;
  }

  std::string& out_;
  std::array<char, 8192> buffer_;
  std::size_t used_ = 0;
};

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
  SampleText text;
  out.append(text.data(), PutTime(text.data(), time));
}

void AppendSample(std::string& out, Timestamp time, double value) {
  SampleText text;
  out.append(text.data(), PutSample(text.data(), time, value));
}

MatrixWriter::MatrixWriter(const promql::Matrix& matrix) : matrix_(matrix) {
  const auto* const steps = matrix.steps();
  if (!steps || matrix.size() == 0) return;
  SampleText text;
  begins_.reserve(steps->count);
  for (std::size_t step = 0; step < steps->count; ++step) {
    begins_.emplace_back(text.data(), PutSampleBegin(text.data(), steps->At(step)));
  }
}

void MatrixWriter::AppendSeries(std::string& out, std::size_t i) const {
  out += "{\"metric\":";
  AppendLabels(out, matrix_.labels(i));
  out += ",\"values\":[";
  {
    Gatherer gatherer(out);
    bool first = true;
    const auto append = [&](auto&& put_sample) {
      char* at = gatherer.Room();
      if (!first) *at++ = ',';
      first = false;
      gatherer.Used(put_sample(at));
    };
    if (matrix_.steps()) {
      matrix_.ForEachCell(i, [&](std::size_t step, double value) {
        append([&](char* at) { return Put(PutValue(Put(at, begins_[step]), value), "\"]"); });
      });
    } else {
      matrix_.ForEachSample(i, [&](Timestamp time, double value) {
        append([&](char* at) { return PutSample(at, time, value); });
      });
    }
  }
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
