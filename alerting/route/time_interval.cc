#include "alerting/route/time_interval.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "core/config/reader.h"
#include "core/number.h"

namespace vigia::alerting::route {
namespace {

constexpr std::array<std::string_view, 7> kWeekdays{"sunday",   "monday", "tuesday", "wednesday",
                                                    "thursday", "friday", "saturday"};
constexpr std::array<std::string_view, 12> kMonths{"january",   "february", "march",    "april",
                                                   "may",       "june",     "july",     "august",
                                                   "september", "october",  "november", "december"};

bool InAny(const std::vector<Range>& ranges, int value) {
  return ranges.empty() || std::any_of(ranges.begin(), ranges.end(), [&](const Range& range) {
           return value >= range.begin && value <= range.end;
         });
}

bool InTimes(const std::vector<Range>& times, int minute) {
  return times.empty() || std::any_of(times.begin(), times.end(), [&](const Range& range) {
           return minute >= range.begin && minute < range.end;
         });
}

// -1 is the last day; what lies beyond the month's ends is cut to them.
bool InDaysOfMonth(const std::vector<Range>& ranges, const CivilTime& now) {
  const int last = now.days_in_month;
  const auto day = [&](int value) { return value < 0 ? last + value + 1 : value; };
  return ranges.empty() || std::any_of(ranges.begin(), ranges.end(), [&](const Range& range) {
           const int begin = day(range.begin);
           if (begin > last) return false;  // this month has no such day
           return now.day >= begin && now.day <= std::min(day(range.end), last);
         });
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::optional<int> Word(std::string_view text, std::span<const std::string_view> words) {
  const auto lower = Lower(text);
  const auto at = std::find(words.begin(), words.end(), lower);
  if (at == words.end()) return std::nullopt;
  return static_cast<int>(at - words.begin());
}

std::optional<int> Number(std::string_view text, int min, int max) {
  const auto value = ParseInt(text);
  if (!value || *value < min || *value > max) return std::nullopt;
  return static_cast<int>(*value);
}

// "17:30", and "24:00" for the end of the day.
std::optional<int> Minute(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = Number(text.substr(0, 2), 0, 24);
  const auto minute = Number(text.substr(3), 0, 59);
  if (!hour || !minute || text[0] == '+' || text[3] == '+' || text[3] == '-') return std::nullopt;
  const int value = *hour * 60 + *minute;
  return value <= 24 * 60 ? std::optional(value) : std::nullopt;
}

// How the ends of one field's ranges are written.
struct FieldSyntax {
  std::string_view key;
  std::string_view right;  // what would be right
  std::optional<int> (*parse)(std::string_view text);
};

constexpr std::array kFields{
    FieldSyntax{"weekdays", "a day such as monday, or a range such as monday:friday",
                [](std::string_view text) { return Word(text, kWeekdays); }},
    FieldSyntax{"days_of_month", "a day such as 1 or -1, or a range such as 1:5 or -3:-1",
                [](std::string_view text) -> std::optional<int> {
                  const auto day = Number(text, -31, 31);
                  return day == 0 ? std::nullopt : day;
                }},
    FieldSyntax{"months", "a month such as may or 5, or a range such as may:august",
                [](std::string_view text) -> std::optional<int> {
                  if (const auto word = Word(text, kMonths)) return *word + 1;
                  return Number(text, 1, 12);
                }},
    FieldSyntax{"years", "a year such as 2026, or a range such as 2026:2028",
                [](std::string_view text) { return Number(text, 0, 9999); }},
};

std::string_view TrimSpaces(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<Range> ParseRange(std::string_view text, const FieldSyntax& field) {
  const auto colon = text.find(':');
  const auto begin = field.parse(TrimSpaces(text.substr(0, colon)));
  const auto end = colon == text.npos ? begin : field.parse(TrimSpaces(text.substr(colon + 1)));
  if (!begin || !end) return std::nullopt;
  return Range{*begin, *end};
}

// A range whose end comes before its begin can never match. Days from the end of the month are
// those of the longest one.
bool RunsBackwards(const Range& range) {
  const auto day = [](int value) { return value < 0 ? 31 + value + 1 : value; };
  return day(range.begin) > day(range.end);
}

std::vector<Range> ReadRanges(config::MapReader& map, const FieldSyntax& field) {
  std::vector<Range> ranges;
  std::vector<std::string> texts;
  const config::Node* node = map.node().Find(field.key);
  if (!map.Read(field.key, texts)) return ranges;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto where = node->IsList() ? node->items[i].position : node->position;
    const auto range = ParseRange(texts[i], field);
    if (!range) {
      map.diagnostics().Add(where, std::string(field.key) + ": '" + texts[i] +
                                       "' is not understood: write " + std::string(field.right));
    } else if (RunsBackwards(*range)) {
      map.diagnostics().Add(where, std::string(field.key) + ": '" + texts[i] +
                                       "' ends before it begins; write two ranges");
    } else {
      ranges.push_back(*range);
    }
  }
  return ranges;
}

int ReadMinute(config::MapReader& map, std::string_view key) {
  std::string text;
  if (!map.Read(key, text)) {
    map.Require(key, "write a time such as 09:00");
    return -1;
  }
  const auto minute = Minute(text);
  if (!minute) map.Fault(key, "'" + text + "' is not a time: write one such as 09:00 or 24:00");
  return minute.value_or(-1);
}

std::vector<Range> ReadTimes(const config::Node& node, config::Diagnostics& diagnostics) {
  std::vector<Range> times;
  if (!node.IsList()) {
    diagnostics.Add(node.position, "times has to be a list of start_time and end_time");
    return times;
  }
  for (const auto& item : node.items) {
    config::MapReader map(item, diagnostics, "times");
    const Range range{ReadMinute(map, "start_time"), ReadMinute(map, "end_time")};
    map.Finish();
    if (range.begin < 0 || range.end < 0) continue;
    if (range.begin >= range.end) {
      map.Fault("end_time", "has to come after start_time; write two ranges around midnight");
    }
    times.push_back(range);
  }
  return times;
}

TimeInterval ReadInterval(const config::Node& node, config::Diagnostics& diagnostics) {
  config::MapReader map(node, diagnostics, "time_intervals");
  TimeInterval interval;
  if (const auto* times = map.Child("times")) interval.times = ReadTimes(*times, diagnostics);
  interval.weekdays = ReadRanges(map, kFields[0]);
  interval.days_of_month = ReadRanges(map, kFields[1]);
  interval.months = ReadRanges(map, kFields[2]);
  interval.years = ReadRanges(map, kFields[3]);
  std::string location;
  if (map.Read("location", location)) {
    auto zone = Zone::Find(location);
    if (zone) {
      interval.location = *std::move(zone);
    } else {
      map.Fault("location", zone.error().message());
    }
  }
  map.Finish();
  return interval;
}

}  // namespace

bool TimeInterval::Contains(Timestamp time) const {
  const CivilTime now = location.At(time);
  return InTimes(times, now.minute) && InAny(weekdays, now.weekday) &&
         InDaysOfMonth(days_of_month, now) && InAny(months, now.month) && InAny(years, now.year);
}

bool NamedIntervals::Contains(Timestamp time) const {
  return std::any_of(intervals.begin(), intervals.end(),
                     [&](const TimeInterval& interval) { return interval.Contains(time); });
}

NamedIntervals ReadNamedIntervals(const config::Node& node, config::Diagnostics& diagnostics) {
  config::MapReader map(node, diagnostics, "time_intervals");
  NamedIntervals named;
  if (!map.Read("name", named.name)) map.Require("name", "routes refer to it");
  const auto* intervals = map.Child("time_intervals");
  if (intervals && intervals->IsList()) {
    for (const auto& item : intervals->items) {
      named.intervals.push_back(ReadInterval(item, diagnostics));
    }
  } else if (intervals && !intervals->IsNull()) {
    diagnostics.Add(intervals->position, "time_intervals has to be a list");
  }
  map.Finish();
  return named;
}

}  // namespace vigia::alerting::route
