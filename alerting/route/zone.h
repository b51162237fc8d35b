// Wall clocks of time zones, from the system's time zone database.

#pragma once

#include <string>

#include "core/result.h"
#include "core/sample.h"

namespace vigia::alerting::route {

// What a clock and a calendar on the wall show.
struct CivilTime {
  int year = 1970;
  int month = 1;    // 1..12
  int day = 1;      // 1..31
  int weekday = 0;  // 0 is Sunday
  int minute = 0;   // of the day
  int days_in_month = 31;
};

// One zone of the database. Cheap to copy; thread-safe.
class Zone {
 public:
  Zone() = default;  // UTC
  // An IANA name ("Europe/Madrid"), "UTC", or "Local" for the machine's own.
  static Result<Zone> Find(const std::string& name);

  CivilTime At(Timestamp time) const;
  const std::string& name() const { return name_; }

 private:
  const void* zone_ = nullptr;  // of the database, which lives as long as the process
  std::string name_ = "UTC";
};

}  // namespace vigia::alerting::route
