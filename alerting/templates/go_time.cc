#include "alerting/templates/go_time.h"

#include <date/tz.h>

#include <array>
#include <cstdlib>
#include <exception>

namespace vigia::alerting::templates {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"January",   "February", "March",    "April",
                                                   "May",       "June",     "July",     "August",
                                                   "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                "Thursday", "Friday", "Saturday"};

// nullptr for UTC and for what the system does not know.
const date::time_zone* FindZone(const std::string& name) {
  if (name.empty() || name == "UTC") return nullptr;
  try {
    return name == "Local" ? date::current_zone() : date::locate_zone(name);
  } catch (const std::exception&) {
    return nullptr;
  }
}

// The parts of a layout besides fractions. Those with '_' are padded by a space.
constexpr std::array<std::string_view, 34> kParts{
    "January", "Jan", "Monday",    "Mon",    "MST",     "2006",  "-07:00:00", "-07:00", "-070000",
    "-0700",   "-07", "Z07:00:00", "Z07:00", "Z070000", "Z0700", "Z07",       "002",    "__2",
    "01",      "02",  "03",        "04",     "05",      "06",    "15",        "_2006",  "_2",
    "PM",      "pm",  "1",         "2",      "3",       "4",     "5"};

std::string Padded(std::int64_t value, std::size_t width, char fill = '0') {
  auto text = std::to_string(value);
  if (text.size() < width) text.insert(0, width - text.size(), fill);
  return text;
}

std::string Offset(const Civil& civil, std::string_view part) {
  if (part.front() == 'Z' && civil.offset == 0) return "Z";
  const int offset = std::abs(civil.offset);
  const std::string colon = part.find(':') == part.npos ? "" : ":";
  std::string out = civil.offset < 0 ? "-" : "+";
  out += Padded(offset / 3600, 2);
  if (part.size() > 3) out += colon + Padded(offset / 60 % 60, 2);
  if (part.size() >= 7 && part != "-07:00" && part != "Z07:00") {
    out += colon + Padded(offset % 60, 2);
  }
  return out;
}

// ".000" keeps all digits, ".999" drops zeros at the end.
std::string Fraction(const Civil& civil, std::string_view part) {
  auto digits = Padded(civil.nanosecond, 9).substr(0, part.size() - 1);
  if (part[1] == '9') {
    while (!digits.empty() && digits.back() == '0') digits.pop_back();
    if (digits.empty()) return "";
  }
  return part.front() + digits;
}

std::string Month(const Civil& civil, std::string_view part) {
  const auto name = kMonths[static_cast<std::size_t>(civil.month - 1)];
  return std::string(part == "Jan" ? name.substr(0, 3) : name);
}

std::string Hour(const Civil& civil, std::string_view part) {
  const int hour = civil.hour % 12 == 0 ? 12 : civil.hour % 12;
  return Padded(hour, part.size());
}

std::string Part(const Civil& civil, std::string_view part) {
  if (part == "January" || part == "Jan") return Month(civil, part);
  const auto day = kDays[static_cast<std::size_t>(civil.weekday)];
  if (part == "Monday") return std::string(day);
  if (part == "Mon") return std::string(day.substr(0, 3));
  if (part == "MST") return civil.zone;
  if (part == "2006") return Padded(civil.year, 4);
  if (part == "_2006") return "_" + Padded(civil.year, 4);
  if (part == "06") return Padded(civil.year % 100, 2);
  if (part == "01" || part == "1") return Padded(civil.month, part.size());
  if (part == "02" || part == "2") return Padded(civil.day, part.size());
  if (part == "_2") return Padded(civil.day, 2, ' ');
  if (part == "002") return Padded(civil.day_of_year, 3);
  if (part == "__2") return Padded(civil.day_of_year, 3, ' ');
  if (part == "15") return Padded(civil.hour, 2);
  if (part == "03" || part == "3") return Hour(civil, part);
  if (part == "04" || part == "4") return Padded(civil.minute, part.size());
  if (part == "05" || part == "5") return Padded(civil.second, part.size());
  if (part == "PM") return civil.hour < 12 ? "AM" : "PM";
  if (part == "pm") return civil.hour < 12 ? "am" : "pm";
  return Offset(civil, part);
}

// ".000..." or ".999..." of any length that no digit follows.
std::string_view FractionPart(std::string_view layout) {
  if (layout.size() < 2 || (layout[0] != '.' && layout[0] != ',')) return {};
  if (layout[1] != '0' && layout[1] != '9') return {};
  std::size_t end = 1;
  while (end < layout.size() && layout[end] == layout[1]) ++end;
  if (end < layout.size() && layout[end] >= '0' && layout[end] <= '9') return {};
  return layout.substr(0, std::min<std::size_t>(end, 10));
}

std::string_view PartAt(std::string_view layout) {
  if (const auto fraction = FractionPart(layout); !fraction.empty()) return fraction;
  std::string_view best;
  for (const auto part : kParts) {
    if (part.size() > best.size() && layout.starts_with(part)) best = part;
  }
  // "Jan" as the front of a longer word in lower case is no month.
  if ((best == "Jan" || best == "Mon") && layout.size() > 3 && layout[3] >= 'a' &&
      layout[3] <= 'z') {
    return {};
  }
  return best;
}

std::string Trimmed(std::string digits) {
  while (digits.back() == '0') digits.pop_back();
  if (digits.back() == '.') digits.pop_back();
  return digits;
}

}  // namespace

Civil ToCivil(const Time& time) {
  Civil civil;
  std::chrono::seconds since(time.seconds);
  if (const auto* zone = FindZone(time.zone)) {
    const auto info = zone->get_info(date::sys_seconds(since));
    civil.offset = static_cast<int>(info.offset.count());
    civil.zone = info.abbrev;
    since += info.offset;
  }
  const auto day = date::floor<date::days>(date::sys_seconds(since));
  const date::year_month_day calendar(day);
  const auto of_day = date::sys_seconds(since) - day;
  civil.year = static_cast<int>(calendar.year());
  civil.month = static_cast<int>(static_cast<unsigned>(calendar.month()));
  civil.day = static_cast<int>(static_cast<unsigned>(calendar.day()));
  civil.hour = static_cast<int>(of_day.count() / 3600);
  civil.minute = static_cast<int>(of_day.count() / 60 % 60);
  civil.second = static_cast<int>(of_day.count() % 60);
  civil.nanosecond = time.nanoseconds;
  civil.weekday = static_cast<int>(date::weekday(day).c_encoding());
  const auto new_year = date::sys_days(calendar.year() / date::January / 1);
  civil.day_of_year = static_cast<int>((day - new_year).count()) + 1;
  return civil;
}

std::string FormatTime(const Time& time, std::string_view layout) {
  const auto civil = ToCivil(time);
  std::string out;
  while (!layout.empty()) {
    const auto part = PartAt(layout);
    if (part.empty()) {
      out += layout.front();
      layout.remove_prefix(1);
      continue;
    }
    const bool fraction = part[0] == '.' || part[0] == ',';
    out += fraction ? Fraction(civil, part) : Part(civil, part);
    layout.remove_prefix(part.size());
  }
  return out;
}

bool KnowsZone(const std::string& name) {
  return name.empty() || name == "UTC" || FindZone(name) != nullptr;
}

std::string DurationString(GoDuration duration) {
  const bool negative = duration.nanoseconds < 0;
  auto left = negative ? 0 - static_cast<std::uint64_t>(duration.nanoseconds)
                       : static_cast<std::uint64_t>(duration.nanoseconds);
  if (left == 0) return "0s";
  const auto fraction = [](std::uint64_t value, std::uint64_t unit, std::size_t digits) {
    return Trimmed(std::to_string(value / unit) + "." +
                   Padded(static_cast<std::int64_t>(value % unit), digits));
  };
  std::string out = negative ? "-" : "";
  if (left < 1'000) return out + std::to_string(left) + "ns";
  if (left < 1'000'000) return out + fraction(left, 1'000, 3) + "µs";
  if (left < 1'000'000'000) return out + fraction(left, 1'000'000, 6) + "ms";
  const auto minutes = left / 60'000'000'000;
  left %= 60'000'000'000;
  if (minutes >= 60) out += std::to_string(minutes / 60) + "h";
  if (minutes > 0) out += std::to_string(minutes % 60) + "m";
  return out + fraction(left, 1'000'000'000, 9) + "s";
}

}  // namespace vigia::alerting::templates
