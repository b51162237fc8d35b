#include "core/duration.h"

#include <array>
#include <cstdint>
#include <limits>

namespace vigia {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
  bool only_exact;  // used when formatting only if nothing would be left over
};

constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kDay = 24 * 60 * 60 * kSecond;
constexpr std::array kUnits{
    Unit{"y", 365 * kDay, true},    Unit{"w", 7 * kDay, true},
    Unit{"d", kDay, false},         Unit{"h", 3600 * kSecond, false},
    Unit{"m", 60 * kSecond, false}, Unit{"s", kSecond, false},
    Unit{"ms", 1, false},
};

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max() / 1'000'000;

Error NotADuration(std::string_view text) {
  return {ErrorCode::kInvalid, "'" + std::string(text) +
                                   "' is not a duration: write a number and a unit of ms, s, m, h, "
                                   "d, w or y, such as 30s or 1h30m"};
}

}  // namespace

Result<Milliseconds> ParseDuration(std::string_view text) {
  if (text == "0") return Milliseconds(0);
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    std::int64_t number = 0;
    std::size_t digits = 0;
    for (; digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9'; ++digits) {
      if (number > kMax / 10) return Fail(NotADuration(text));
      number = number * 10 + (rest[digits] - '0');
    }
    rest.remove_prefix(digits);
    std::size_t letters = 0;
    while (letters < rest.size() && rest[letters] >= 'a' && rest[letters] <= 'z') ++letters;
    const auto name = rest.substr(0, letters);
    while (next_unit < kUnits.size() && kUnits[next_unit].name != name) ++next_unit;
    if (digits == 0 || next_unit == kUnits.size()) return Fail(NotADuration(text));
    const std::int64_t scale = kUnits[next_unit++].milliseconds;
    if (number > (kMax - total) / scale) return Fail(NotADuration(text));
    total += number * scale;
    rest.remove_prefix(letters);
  }
  if (text.empty()) return Fail(NotADuration(text));
  return Milliseconds(total);
}

std::string FormatDuration(Milliseconds duration) {
  std::int64_t rest = duration.count();
  if (rest == 0) return "0s";
  std::string out;
  if (rest < 0) {
    out = "-";
    rest = -rest;
  }
  for (const auto& unit : kUnits) {
    const std::int64_t count = rest / unit.milliseconds;
    if (count == 0 || (unit.only_exact && rest % unit.milliseconds != 0)) continue;
    out += std::to_string(count);
    out += unit.name;
    rest %= unit.milliseconds;
  }
  return out;
}

}  // namespace vigia
