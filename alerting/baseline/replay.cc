#include "alerting/baseline/replay.h"

#include <array>
#include <charconv>
#include <cstdio>

#include "core/number.h"

namespace vigia::alerting::baseline {
namespace {

// Days since 1970-01-01 of a date of the proleptic Gregorian calendar.
// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
std::int64_t DaysFromCivil(std::int64_t year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719'468;
}

std::string FormatTime(std::int64_t time, bool in_seconds) {
  if (in_seconds) return std::to_string(time);
  const std::int64_t days = (time >= 0 ? time : time - (kDay - 1)) / kDay;
  const auto second = static_cast<int>(time - days * kDay);
  // civil_from_days of the same source.
  const std::int64_t z = days + 719'468;
  const std::int64_t era = (z >= 0 ? z : z - 146'096) / 146'097;
  const std::int64_t doe = z - era * 146'097;
  const std::int64_t yoe = (doe - doe / 1460 + doe / 36'524 - doe / 146'096) / 365;
  const std::int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const std::int64_t mp = (5 * doy + 2) / 153;
  const auto day = static_cast<int>(doy - (153 * mp + 2) / 5 + 1);
  const auto month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
  const auto year = static_cast<int>(yoe + era * 400 + (month <= 2 ? 1 : 0));
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02d %02d:%02d:%02d", year, month, day,
                second / 3600, second / 60 % 60, second % 60);
  return text.data();
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
}

void AppendVerdict(std::string& out, const Verdict& verdict, bool in_seconds) {
  for (const double bound : {verdict.expected, verdict.lower, verdict.upper}) {
    out += ',';
    if (verdict.known) AppendDouble(out, bound);
  }
  out += ',';
  AppendDouble(out, verdict.score);
  out += ',';
  out += Name(verdict.state);
  out += ',';
  AppendDouble(out, verdict.alert);
  out += ',';
  if (verdict.since != 0) out += FormatTime(verdict.since, in_seconds);
  out += '\n';
}

}  // namespace

Result<std::int64_t> ParseReplayTime(std::string_view text) {
  if (IsNumber(text)) {
    auto seconds = ParseDouble(text);
    if (!seconds) return Fail(seconds.error());
    return static_cast<std::int64_t>(*seconds);
  }
  std::array<int, 6> field{};
  constexpr std::array<std::size_t, 6> kAt{0, 5, 8, 11, 14, 17};
  constexpr std::array<std::size_t, 6> kLength{4, 2, 2, 2, 2, 2};
  constexpr std::string_view kShape = "0000-00-00 00:00:00";
  bool well = text.size() >= kShape.size();
  for (std::size_t k = 0; well && k < field.size(); ++k) {
    const char* begin = text.data() + kAt[k];
    const auto [end, error] = std::from_chars(begin, begin + kLength[k], field[k]);
    well = error == std::errc() && end == begin + kLength[k];
  }
  for (std::size_t k = 0; well && k < kShape.size(); ++k) {
    if (kShape[k] == '-' || kShape[k] == ':') well = text[k] == kShape[k];
  }
  well = well && (text[10] == ' ' || text[10] == 'T') && field[1] >= 1 && field[1] <= 12 &&
         field[2] >= 1 && field[2] <= 31 && field[3] < 24 && field[4] < 60 && field[5] <= 60;
  if (!well) {
    return Fail(ErrorCode::kInvalid,
                "\"" + std::string(text) + "\" is no time; expected YYYY-MM-DD HH:MM:SS");
  }
  return DaysFromCivil(field[0], field[1], field[2]) * kDay + field[3] * 3600 + field[4] * 60 +
         field[5];
}

Status Replay::Line(std::string_view line, std::string& out) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) return Ok();
  if (!started_) {
    started_ = true;
    if (line == "timestamp,value") return Ok();
  }
  const auto comma = line.find(',');
  if (comma == std::string_view::npos || line.find(',', comma + 1) != std::string_view::npos) {
    return Fail(ErrorCode::kInvalid, "expected timestamp,value");
  }
  const auto stamp = line.substr(0, comma);
  const auto text = line.substr(comma + 1);
  const auto time = ParseReplayTime(stamp);
  if (!time) return Fail(time.error());
  in_seconds_ = IsNumber(stamp);
  std::optional<double> value;
  if (!text.empty()) {
    const auto number = ParseDouble(text);
    if (!number) return Fail(number.error());
    value = *number;
  }
  out += line;
  AppendVerdict(out, detector_.Step(*time, value), in_seconds_);
  return Ok();
}

}  // namespace vigia::alerting::baseline
