// Time intervals: fields, edges, months, and the clocks of other zones.

#include "alerting/route/time_interval.h"

#include <catch2/catch.hpp>

#include "core/config/yaml.h"

using namespace vigia;
using namespace vigia::alerting::route;

namespace {

NamedIntervals Read(const std::string& fields, std::string* faults = nullptr) {
  config::Diagnostics diagnostics("am.yml");
  const auto node =
      config::ParseYaml("name: x\ntime_intervals:\n- " + fields + "\n", {}, diagnostics);
  auto named = ReadNamedIntervals(node, diagnostics);
  if (faults) {
    *faults = diagnostics.ToString();
  } else {
    REQUIRE(diagnostics.ToString() == "");
  }
  return named;
}

std::string Faults(const std::string& fields) {
  std::string faults;
  Read(fields, &faults);
  return faults;
}

// Unix milliseconds of a civil time in UTC.
Timestamp Utc(int year, int month, int day, int hour, int minute, int second = 0) {
  std::tm time{};
  time.tm_year = year - 1900;
  time.tm_mon = month - 1;
  time.tm_mday = day;
  time.tm_hour = hour;
  time.tm_min = minute;
  time.tm_sec = second;
  return static_cast<Timestamp>(::timegm(&time)) * 1000;
}

}  // namespace

TEST_CASE("times include their start and exclude their end", "[route]") {
  const auto office = Read("times: [{start_time: '09:00', end_time: '17:00'}]");
  CHECK_FALSE(office.Contains(Utc(2026, 11, 27, 8, 59, 59)));
  CHECK(office.Contains(Utc(2026, 11, 27, 9, 0)));
  CHECK(office.Contains(Utc(2026, 11, 27, 16, 59, 59)));
  CHECK_FALSE(office.Contains(Utc(2026, 11, 27, 17, 0)));
  const auto evening = Read("times: [{start_time: '18:00', end_time: '24:00'}]");
  CHECK(evening.Contains(Utc(2026, 11, 27, 23, 59, 59)));
  CHECK_FALSE(evening.Contains(Utc(2026, 11, 28, 0, 0)));
}

TEST_CASE("all given fields have to match, and any interval of a name will do", "[route]") {
  const auto working = Read("weekdays: ['Monday:friday']\n  months: ['11', 'december']");
  CHECK(working.Contains(Utc(2026, 11, 27, 12, 0)));        // a Friday
  CHECK_FALSE(working.Contains(Utc(2026, 11, 28, 12, 0)));  // a Saturday
  CHECK_FALSE(working.Contains(Utc(2026, 10, 27, 12, 0)));  // in October
  const auto either = Read("weekdays: [sunday]\n- years: ['2030:2031']");
  CHECK(either.Contains(Utc(2026, 11, 29, 0, 0)));
  CHECK(either.Contains(Utc(2031, 12, 31, 23, 59)));
  CHECK_FALSE(either.Contains(Utc(2026, 11, 30, 0, 0)));
  CHECK(Read("{}").Contains(0));
}

TEST_CASE("days count from the end of the month and are cut to its length", "[route]") {
  const auto last_three = Read("days_of_month: ['-3:-1']");
  CHECK(last_three.Contains(Utc(2027, 2, 26, 0, 0)));
  CHECK_FALSE(last_three.Contains(Utc(2027, 2, 25, 0, 0)));
  CHECK(last_three.Contains(Utc(2028, 2, 29, 0, 0)));  // a leap year
  CHECK(Read("days_of_month: ['28:31']").Contains(Utc(2027, 2, 28, 0, 0)));
  CHECK_FALSE(Read("days_of_month: ['30:31']").Contains(Utc(2027, 2, 28, 0, 0)));
  CHECK(Read("days_of_month: ['25:-1']").Contains(Utc(2027, 2, 28, 0, 0)));
  CHECK(Read("days_of_month: ['-31']").Contains(Utc(2027, 1, 1, 0, 0)));
  CHECK_FALSE(Read("days_of_month: ['-31']").Contains(Utc(2027, 4, 1, 0, 0)));
  CHECK(Read("days_of_month: ['-31:5']").Contains(Utc(2027, 4, 1, 0, 0)));
}

TEST_CASE("an interval reads the clock of its own zone, summer time included", "[route]") {
  const auto madrid = Read(
      "times: [{start_time: '09:00', end_time: '10:00'}]\n"
      "  location: Europe/Madrid");
  CHECK(madrid.Contains(Utc(2026, 1, 15, 8, 30)));        // UTC+1
  CHECK_FALSE(madrid.Contains(Utc(2026, 7, 15, 8, 30)));  // UTC+2
  CHECK(madrid.Contains(Utc(2026, 7, 15, 7, 30)));
  // The night of 29 March 2026 has no 02:30; what follows 01:59 is 03:00.
  const auto night = Read(
      "times: [{start_time: '02:00', end_time: '03:00'}]\n"
      "  location: Europe/Madrid");
  CHECK_FALSE(night.Contains(Utc(2026, 3, 29, 0, 59)));
  CHECK_FALSE(night.Contains(Utc(2026, 3, 29, 1, 0)));
  // The night of 25 October 2026 has it twice.
  CHECK(night.Contains(Utc(2026, 10, 25, 0, 30)));
  CHECK(night.Contains(Utc(2026, 10, 25, 1, 30)));
  // The day of another zone: a Saturday evening in Los Angeles is a Sunday in UTC.
  CHECK(Read("weekdays: [saturday]\n  location: America/Los_Angeles")
            .Contains(Utc(2026, 11, 29, 3, 0)));
}

TEST_CASE("faults in intervals have a place and an example", "[route]") {
  CHECK(Faults("weekdays: [mon]") ==
        "am.yml:3:14: weekdays: 'mon' is not understood: write a day such as monday, or a range "
        "such as monday:friday\n");
  CHECK(Faults("times: [{start_time: '17:00', end_time: '09:00'}]") ==
        "am.yml:3:33: end_time: has to come after start_time; write two ranges around midnight\n");
  CHECK(Faults("times: [{start_time: '9:00', end_time: '17:00'}]") ==
        "am.yml:3:12: start_time: '9:00' is not a time: write one such as 09:00 or 24:00\n");
  CHECK(Faults("days_of_month: ['0']").find("'0' is not understood") != std::string::npos);
  CHECK(Faults("days_of_month: ['5:1']").find("ends before it begins") != std::string::npos);
  CHECK(Faults("location: Mars/Olympus") ==
        "am.yml:3:3: location: 'Mars/Olympus' is no time zone of this system; write one such as "
        "Europe/Madrid\n");
  CHECK(Faults("wekdays: [monday]").find("did you mean 'weekdays'?") != std::string::npos);
}
