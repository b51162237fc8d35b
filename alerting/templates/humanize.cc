#include "alerting/templates/humanize.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>

#include "alerting/templates/print.h"

namespace vigia::alerting::templates {
namespace {

constexpr std::array<std::string_view, 8> kLarge{"k", "M", "G", "T", "P", "E", "Z", "Y"};
constexpr std::array<std::string_view, 8> kBinary{"ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"};
constexpr std::array<std::string_view, 8> kSmall{"m", "u", "n", "p", "f", "a", "z", "y"};

std::string FourDigits(double value) { return FormatFloat(value, 'g', 4); }

std::string Divided(double value, double base, std::span<const std::string_view> prefixes) {
  std::string_view prefix;
  for (const auto next : prefixes) {
    if (std::fabs(value) < base) break;
    prefix = next;
    value /= base;
  }
  return FourDigits(value) + std::string(prefix);
}

std::string Multiplied(double value) {
  std::string_view prefix;
  for (const auto next : kSmall) {
    if (std::fabs(value) >= 1) break;
    prefix = next;
    value *= 1000;
  }
  return FourDigits(value) + std::string(prefix);
}

}  // namespace

std::string Humanize(double value) {
  if (value == 0 || !std::isfinite(value)) return FourDigits(value);
  return std::fabs(value) >= 1 ? Divided(value, 1000, kLarge) : Multiplied(value);
}

std::string Humanize1024(double value) {
  if (std::fabs(value) <= 1 || !std::isfinite(value)) return FourDigits(value);
  return Divided(value, 1024, kBinary);
}

std::string HumanizeDuration(double seconds) {
  if (!std::isfinite(seconds)) return FourDigits(seconds);
  if (seconds == 0) return "0s";
  if (std::fabs(seconds) < 1) return Multiplied(seconds) + "s";
  const std::string sign = seconds < 0 ? "-" : "";
  const double magnitude = std::fabs(seconds);
  if (magnitude >= 9e18) return sign + FourDigits(magnitude) + "s";
  const auto whole = static_cast<std::int64_t>(magnitude);
  const auto part = [](std::int64_t value, const char* unit) {
    return std::to_string(value) + unit;
  };
  const auto s = part(whole % 60, "s");
  const auto m = part(whole / 60 % 60, "m ") + s;
  const auto h = part(whole / 3600 % 24, "h ") + m;
  if (whole >= 86400) return sign + part(whole / 86400, "d ") + h;
  if (whole >= 3600) return sign + h;
  if (whole >= 60) return sign + m;
  return sign + FourDigits(magnitude) + "s";
}

std::string HumanizePercentage(double ratio) { return FourDigits(ratio * 100) + "%"; }

}  // namespace vigia::alerting::templates
