#include "query/promql/format.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace vigia::promql {
namespace {

std::string Special(double value) {
  if (std::isnan(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}

}  // namespace

std::string FormatFixed(double value) {
  if (!std::isfinite(value)) return Special(value);
  // The shortest digits "d.ddde+xx", with the point moved to where it belongs.
  char text[40];
  const auto [end, error] =
      std::to_chars(text, text + sizeof text, std::abs(value), std::chars_format::scientific);
  const std::string_view shortest(text, static_cast<std::size_t>(end - text));
  const auto e = shortest.find('e');
  int exponent = 0;
  const std::size_t sign = shortest[e + 1] == '+' ? 1 : 0;
  std::from_chars(text + e + 1 + sign, end, exponent);
  std::string digits(1, text[0]);
  if (e > 2) digits += shortest.substr(2, e - 2);
  const auto count = static_cast<int>(digits.size());
  if (exponent < 0) {
    digits.insert(0, "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0'));
  } else if (exponent >= count - 1) {
    digits.append(static_cast<std::size_t>(exponent - count + 1), '0');
  } else {
    digits.insert(static_cast<std::size_t>(exponent) + 1, 1, '.');
  }
  return std::signbit(value) ? "-" + digits : digits;
}

std::string FormatGeneral(double value) {
  if (!std::isfinite(value)) return Special(value);
  if (value == 0) return std::signbit(value) ? "-0" : "0";
  const double size = std::abs(value);
  if (size >= 1e-4 && size < 1e6) return FormatFixed(value);
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
