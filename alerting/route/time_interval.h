// Time intervals: when a route is muted or active (Alertmanager's time_intervals).
//
// An instant is contained if every field that is given contains it, on the wall clock of
// `location`. Immutable once read; thread-safe.

#pragma once

#include <string>
#include <vector>

#include "alerting/route/zone.h"
#include "core/config/diagnostics.h"
#include "core/config/node.h"
#include "core/sample.h"

namespace vigia::alerting::route {

// Both ends belong to it, except for times, whose end is exclusive.
struct Range {
  int begin = 0;
  int end = 0;

  friend bool operator==(const Range&, const Range&) = default;
};

struct TimeInterval {
  std::vector<Range> times;  // minutes of the day
  std::vector<Range> weekdays;
  std::vector<Range> days_of_month;  // negative ones count from the end of the month
  std::vector<Range> months;
  std::vector<Range> years;
  Zone location;

  bool Contains(Timestamp time) const;
};

struct NamedIntervals {
  std::string name;
  std::vector<TimeInterval> intervals;  // any of them

  bool Contains(Timestamp time) const;
};

// Reads one item of `time_intervals` or of the older `mute_time_intervals`.
NamedIntervals ReadNamedIntervals(const config::Node& node, config::Diagnostics& diagnostics);

}  // namespace vigia::alerting::route
