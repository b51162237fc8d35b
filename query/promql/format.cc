#include "query/promql/format.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace vigia::promql {
namespace {

std::string Special(double value) {
  if (std::isnan(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}

}  // namespace

std::string FormatFixed(double value) {
  if (!std::isfinite(value)) return Special(value);
  char text[400];  // 309 digits before the point, or 324 zeros and 17 digits behind it
  const auto [end, error] = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed);
  return {text, end};
}

std::string FormatGeneral(double value) {
  if (!std::isfinite(value)) return Special(value);
  if (value == 0) return std::signbit(value) ? "-0" : "0";
  const double size = std::abs(value);
  if (size >= 1e-4 && size < 1e21) return FormatFixed(value);
  char text[40];
  const auto [end, error] =
      std::to_chars(text, text + sizeof text, value, std::chars_format::scientific);
  return {text, end};
}

std::string FormatShort(double value) {
  if (!std::isfinite(value)) return Special(value);
  char text[40];
  std::snprintf(text, sizeof text, "%.2g", value);
  return text;
}

std::string FormatRfc3339(Timestamp time) {
  const std::chrono::sys_time<std::chrono::milliseconds> point{std::chrono::milliseconds(time)};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(point);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(seconds - day);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

}  // namespace vigia::promql
