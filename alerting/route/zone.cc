#include "alerting/route/zone.h"

#include <date/tz.h>

#include <chrono>
#include <exception>

namespace vigia::alerting::route {

Result<Zone> Zone::Find(const std::string& name) {
  Zone zone;
  if (name.empty() || name == "UTC") return zone;
  try {
    zone.zone_ = name == "Local" ? date::current_zone() : date::locate_zone(name);
  } catch (const std::exception&) {
    return Fail(ErrorCode::kInvalid,
                "'" + name + "' is no time zone of this system; write one such as Europe/Madrid");
  }
  zone.name_ = name;
  return zone;
}

CivilTime Zone::At(Timestamp time) const {
  auto instant = date::sys_seconds(std::chrono::seconds(time / 1000 - (time % 1000 < 0 ? 1 : 0)));
  date::local_seconds local(instant.time_since_epoch());
  if (zone_) local = static_cast<const date::time_zone*>(zone_)->to_local(instant);
  const auto day = date::floor<date::days>(local);
  const date::year_month_day civil(day);
  CivilTime out;
  out.year = static_cast<int>(civil.year());
  out.month = static_cast<int>(static_cast<unsigned>(civil.month()));
  out.day = static_cast<int>(static_cast<unsigned>(civil.day()));
  out.weekday = static_cast<int>(date::weekday(day).c_encoding());
  out.minute = static_cast<int>(date::floor<std::chrono::minutes>(local - day).count());
  const date::year_month_day_last last(civil.year(), date::month_day_last(civil.month()));
  out.days_in_month = static_cast<int>(static_cast<unsigned>(last.day()));
  return out;
}

}  // namespace vigia::alerting::route
