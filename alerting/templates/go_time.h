// Times and durations as Go reads and writes them.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "alerting/templates/value.h"

namespace vigia::alerting::templates {

// What a clock on the wall shows, in the zone of the Time.
struct Civil {
  std::int64_t year = 1;
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int nanosecond = 0;
  int weekday = 0;  // 0 is Sunday
  int day_of_year = 1;
  int offset = 0;  // seconds east of UTC
  std::string zone = "UTC";
};
Civil ToCivil(const Time& time);

inline constexpr std::string_view kTimeString = "2006-01-02 15:04:05.999999999 -0700 MST";

// `layout` shows how the reference time would look: Mon Jan 2 15:04:05 MST 2006.
std::string FormatTime(const Time& time, std::string_view layout);

// Whether the system knows a zone of that name ("Europe/Madrid", "UTC").
bool KnowsZone(const std::string& name);

// "1h2m3.5s", "1.5µs", "0s".
std::string DurationString(GoDuration duration);

}  // namespace vigia::alerting::templates
