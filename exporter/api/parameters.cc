#include "exporter/api/parameters.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

#include "core/number.h"
#include "query/promql/syntax/parser.h"

namespace vigia::api {
namespace {

// Reads `digits` digits off the front of `text`.
std::optional<int> TakeNumber(std::string_view& text, std::size_t digits) {
  int value = 0;
  if (text.size() < digits) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value);
  if (error != std::errc() || end != text.data() + digits || value < 0) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

bool Take(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

// The milliseconds of ".25"; digits beyond the third are cut off.
std::optional<int> TakeFraction(std::string_view& text) {
  if (!Take(text, '.')) return 0;
  int value = 0;
  std::size_t count = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1)) {
    if (count++ < 3) value = value * 10 + (text.front() - '0');
  }
  if (count == 0) return std::nullopt;
  for (; count < 3; ++count) value *= 10;
  return value;
}

// Minutes east of Greenwich: "Z", "+02:00".
std::optional<int> TakeZone(std::string_view& text) {
  if (Take(text, 'Z') || Take(text, 'z')) return 0;
  const int sign = text.starts_with('-') ? -1 : 1;
  if (!Take(text, '+') && !Take(text, '-')) return std::nullopt;
  const auto hours = TakeNumber(text, 2);
  if (!hours || !Take(text, ':')) return std::nullopt;
  const auto minutes = TakeNumber(text, 2);
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return sign * (*hours * 60 + *minutes);
}

std::optional<Timestamp> ParseRfc3339(std::string_view text) {
  const auto year = TakeNumber(text, 4);
  if (!year || !Take(text, '-')) return std::nullopt;
  const auto month = TakeNumber(text, 2);
  if (!month || !Take(text, '-')) return std::nullopt;
  const auto day = TakeNumber(text, 2);
  if (!day || !(Take(text, 'T') || Take(text, 't'))) return std::nullopt;
  const auto hour = TakeNumber(text, 2);
  if (!hour || !Take(text, ':')) return std::nullopt;
  const auto minute = TakeNumber(text, 2);
  if (!minute || !Take(text, ':')) return std::nullopt;
  const auto second = TakeNumber(text, 2);
  const auto fraction = TakeFraction(text);
  const auto zone = TakeZone(text);
  if (!second || !fraction || !zone || !text.empty()) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t minutes = (days * 24 + *hour) * 60 + *minute - *zone;
  return (minutes * 60 + *second) * 1000 + *fraction;
}

// Times have to be nearer than 2^63 ms. Clients send the first and the last that Prometheus has for
// "always", as a number or as this text.
constexpr double kFarthestSeconds = 9.22337203685e15;
constexpr std::string_view kFirstTime = "-292273086-05-16T16:47:06Z";
constexpr std::string_view kLastTime = "292277025-08-18T07:12:54.999999999Z";
// Beyond any sample, within bounds.
constexpr Timestamp kFarthest = Timestamp{1} << 62;

// Nor can a span be longer: 2^63 nanoseconds.
constexpr double kMostSpan = 9223372036854.775807;

}  // namespace

std::optional<Timestamp> ParseTime(std::string_view text) {
  if (const auto number = ParseDouble(text)) {
    if (!(std::fabs(*number) <= kFarthestSeconds)) return std::nullopt;
    double seconds = 0;
    const double fraction = std::modf(*number, &seconds);
    const auto milliseconds = static_cast<Timestamp>(seconds) * 1000 +
                              static_cast<Timestamp>(std::round(fraction * 1000));
    return std::clamp(milliseconds, -kFarthest, kFarthest);
  }
  if (text == kFirstTime) return -kFarthest;
  if (text == kLastTime) return kFarthest;
  return ParseRfc3339(text);
}

std::optional<Milliseconds> ParseSpan(std::string_view text) {
  if (const auto seconds = ParseDouble(text)) {
    const double milliseconds = *seconds * 1000;
    if (!(std::fabs(milliseconds) < kMostSpan)) return std::nullopt;
    return Milliseconds(static_cast<std::int64_t>(milliseconds));
  }
  if (const auto duration = ParseDuration(text)) return *duration;
  return std::nullopt;
}

ApiResult<Timestamp> TimeParameter(const http::Request& request, std::string_view name,
                                   Timestamp fallback) {
  const auto text = request.Parameter(name);
  if (text.empty()) return fallback;
  if (const auto time = ParseTime(text)) return *time;
  return BadParameter(name, "cannot parse \"" + std::string(text) + "\" to a valid timestamp");
}

ApiResult<std::optional<Milliseconds>> SpanParameter(const http::Request& request,
                                                     std::string_view name) {
  const auto text = request.Parameter(name);
  if (text.empty()) return std::nullopt;
  if (const auto span = ParseSpan(text)) return span;
  const auto number = ParseDouble(text);
  const bool overflows = number && !std::isnan(*number);
  return BadParameter(name, "cannot parse \"" + std::string(text) + "\" to a valid duration" +
                                (overflows ? ". It overflows int64" : ""));
}

ApiResult<std::size_t> LimitParameter(const http::Request& request, std::string_view name) {
  const auto text = request.Parameter(name);
  if (text.empty()) return 0;
  const auto limit = ParseInt(text);
  if (!limit || *limit < 0)
    return BadParameter(
        name, name == "limit" && limit ? "limit must be non-negative" : "limit must be a number");
  return static_cast<std::size_t>(*limit);
}

ApiResult<TimeRange> RangeParameters(const http::Request& request) {
  const auto start = TimeParameter(request, "start", -kFarthest);
  if (!start) return tl::unexpected(start.error());
  const auto end = TimeParameter(request, "end", kFarthest);
  if (!end) return tl::unexpected(end.error());
  return TimeRange{*start, *end};
}

ApiResult<std::vector<std::vector<Matcher>>> SelectorParameters(const http::Request& request,
                                                                promql::Semantics semantics) {
  std::vector<std::vector<Matcher>> selectors;
  for (const auto& text : request.ParameterList("match[]")) {
    auto matchers = promql::ParseSelector(text, semantics);
    if (!matchers) return BadParameter("match[]", matchers.error().message);
    if (promql::FitsEverything(*matchers, semantics)) {
      return BadParameter("match[]", "match[] must contain at least one non-empty matcher");
    }
    selectors.push_back(*std::move(matchers));
  }
  return selectors;
}

}  // namespace vigia::api
