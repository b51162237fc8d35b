// Date functions, in UTC, of a vector of Unix times or of the evaluation time.

#include <cstdint>
#include <limits>

#include "query/promql/eval/evaluator.h"
#include "query/promql/functions/implementations.h"

namespace vigia::promql {
namespace {

// The civil date of any 64-bit number of seconds, by Go's arithmetic (time.Time.abs, absDate in
// Go 1.19): unsigned seconds since a year far enough back, which also decides what times beyond
// Go's range look like.
class CivilTime {
 public:
  explicit CivilTime(std::int64_t unix_seconds)
      : seconds_(static_cast<std::uint64_t>(unix_seconds) + kUnixToAbsolute) {
    std::uint64_t days = seconds_ / kDay;
    std::uint64_t n = days / kDaysPer400;
    std::uint64_t year = 400 * n;
    days -= kDaysPer400 * n;
    n = days / kDaysPer100;
    n -= n >> 2;  // the last day of a leap century belongs to it
    year += 100 * n;
    days -= kDaysPer100 * n;
    n = days / kDaysPer4;
    year += 4 * n;
    days -= kDaysPer4 * n;
    n = days / 365;
    n -= n >> 2;
    year += n;
    days -= 365 * n;
    year_ = static_cast<std::int64_t>(year) + kAbsoluteZeroYear;
    day_of_year_ = static_cast<int>(days);
    leap_ = year_ % 4 == 0 && (year_ % 100 != 0 || year_ % 400 == 0);
    day_ = day_of_year_;
    while (day_ >= DaysIn(month_)) day_ -= DaysIn(month_++);
  }

  double Year() const { return static_cast<double>(year_); }
  double Month() const { return month_; }
  double Day() const { return day_ + 1; }
  double DayOfYear() const { return day_of_year_ + 1; }
  double DaysInMonth() const { return DaysIn(month_); }
  // The absolute era begins on a Monday.
  double DayOfWeek() const { return static_cast<double>((seconds_ + kDay) % (7 * kDay) / kDay); }
  double Hour() const { return static_cast<double>(seconds_ % kDay / 3600); }
  double Minute() const { return static_cast<double>(seconds_ % 3600 / 60); }

 private:
  static constexpr std::uint64_t kDay = 86400;
  static constexpr std::uint64_t kDaysPer400 = 146097;
  static constexpr std::uint64_t kDaysPer100 = 36524;
  static constexpr std::uint64_t kDaysPer4 = 1461;
  static constexpr std::int64_t kAbsoluteZeroYear = -292277022399;
  // From 1970 back to the absolute era: Go's unixToInternal + internalToAbsolute.
  static constexpr std::uint64_t kUnixToAbsolute = 62135596800ULL + 9223371966579724800ULL;

  int DaysIn(int month) const {
    constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return kDays[month - 1] + (month == 2 && leap_ ? 1 : 0);
  }

  std::uint64_t seconds_;
  std::int64_t year_;
  int day_of_year_;
  int day_;
  int month_ = 1;
  bool leap_;
};

// What amd64 makes of floats that are no 64-bit integers.
std::int64_t ToInteger(double value) {
  constexpr double kBound = 9223372036854775808.0;
  if (value >= -kBound && value < kBound) return static_cast<std::int64_t>(value);
  return std::numeric_limits<std::int64_t>::min();
}

template <typename Part>
CallResult OfDate(Evaluator& evaluator, const Call& call, const Steps& steps, Part part) {
  if (call.args.empty()) {
    Vector now(steps.count);
    const auto row = now.Append(Labels());
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = part(CivilTime(steps.At(i) / 1000));
    return now;
  }
  auto vector = evaluator.EvalVector(*call.args[0], steps);
  if (!vector) return Fail(vector.error());
  for (double& value : vector->values) {
    if (IsPresent(value)) value = part(CivilTime(ToInteger(value)));
  }
  vector->name_dropped = true;
  if (auto status = MergeEqualRows(*vector); !status) return Fail(status.error());
  return std::move(*vector);
}

}  // namespace

CallResult Minute(Evaluator& evaluator, const Call& call, const Steps& steps) {
  return OfDate(evaluator, call, steps, [](const CivilTime& time) { return time.Minute(); });
}

CallResult Hour(Evaluator& evaluator, const Call& call, const Steps& steps) {
  return OfDate(evaluator, call, steps, [](const CivilTime& time) { return time.Hour(); });
}

CallResult DayOfWeek(Evaluator& evaluator, const Call& call, const Steps& steps) {
  return OfDate(evaluator, call, steps, [](const CivilTime& time) { return time.DayOfWeek(); });
}

CallResult DayOfMonth(Evaluator& evaluator, const Call& call, const Steps& steps) {
  return OfDate(evaluator, call, steps, [](const CivilTime& time) { return time.Day(); });
}

CallResult DayOfYear(Evaluator& evaluator, const Call& call, const Steps& steps) {
  return OfDate(evaluator, call, steps, [](const CivilTime& time) { return time.DayOfYear(); });
}

CallResult DaysInMonth(Evaluator& evaluator, const Call& call, const Steps& steps) {
  return OfDate(evaluator, call, steps, [](const CivilTime& time) { return time.DaysInMonth(); });
}

CallResult Month(Evaluator& evaluator, const Call& call, const Steps& steps) {
  return OfDate(evaluator, call, steps, [](const CivilTime& time) { return time.Month(); });
}

CallResult Year(Evaluator& evaluator, const Call& call, const Steps& steps) {
  return OfDate(evaluator, call, steps, [](const CivilTime& time) { return time.Year(); });
}

}  // namespace vigia::promql
