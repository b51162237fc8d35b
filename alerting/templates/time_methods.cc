// Methods of Go's time.Time and time.Duration, as far as a template has use for them.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "alerting/templates/function.h"
#include "alerting/templates/go_time.h"

namespace vigia::alerting::templates {
namespace {

using Arguments = std::span<const Value>;

const Time& Self(Arguments arguments) { return *arguments[0].As<Time>(); }
std::int64_t Nanoseconds(Arguments arguments) { return arguments[0].As<GoDuration>()->nanoseconds; }

// Beyond 64 bits Go's integers wrap.
std::int64_t WrappingSum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t WrappingProduct(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

Result<Value> Format(const Environment&, Arguments arguments) {
  return Value(FormatTime(Self(arguments), Text(arguments[1])));
}
Result<Value> TimeString(const Environment&, Arguments arguments) {
  return Value(FormatTime(Self(arguments), kTimeString));
}
Result<Value> Unix(const Environment&, Arguments arguments) {
  return Value(Self(arguments).seconds);
}
Result<Value> UnixMilli(const Environment&, Arguments arguments) {
  const Time& time = Self(arguments);
  return Value(WrappingSum(WrappingProduct(time.seconds, 1000), time.nanoseconds / 1'000'000));
}
Result<Value> IsZero(const Environment&, Arguments arguments) {
  return Value(Self(arguments).IsZero());
}

template <const char* zone>
Result<Value> InZone(const Environment&, Arguments arguments) {
  Time time = Self(arguments);
  time.zone = zone;
  return Value(std::move(time));
}

template <int Civil::*part>
Result<Value> Part(const Environment&, Arguments arguments) {
  return Value(ToCivil(Self(arguments)).*part);
}
Result<Value> Year(const Environment&, Arguments arguments) {
  return Value(ToCivil(Self(arguments)).year);
}
Result<Value> Month(const Environment&, Arguments arguments) {
  return Value(FormatTime(Self(arguments), "January"));
}
Result<Value> Weekday(const Environment&, Arguments arguments) {
  return Value(FormatTime(Self(arguments), "Monday"));
}

constexpr std::int64_t kSecond = 1'000'000'000;

Time Moved(const Time& time, std::int64_t nanoseconds) {
  Time moved = time;
  moved.seconds = WrappingSum(moved.seconds, nanoseconds / kSecond);
  nanoseconds = time.nanoseconds + nanoseconds % kSecond;
  if (nanoseconds < 0 || nanoseconds >= kSecond) {
    moved.seconds = WrappingSum(moved.seconds, nanoseconds < 0 ? -1 : 1);
    nanoseconds += nanoseconds < 0 ? kSecond : -kSecond;
  }
  moved.nanoseconds = static_cast<std::int32_t>(nanoseconds);
  return moved;
}

// What is left of the time since the year 1 beyond whole multiples of `unit`.
std::int64_t Remainder(const Time& time, std::int64_t unit) {
  const auto modulus = static_cast<std::uint64_t>(unit);
  const auto seconds =
      static_cast<std::uint64_t>(std::max<std::int64_t>(time.seconds - Time().seconds, 0));
  // Bit by bit, for two thousand years in nanoseconds exceed 64 bits.
  std::uint64_t rest = 0;
  for (int bit = 63; bit >= 0; --bit) {
    rest = rest * 2 % modulus;
    if (seconds >> bit & 1) rest = (rest + kSecond % modulus) % modulus;
  }
  return static_cast<std::int64_t>((rest + static_cast<std::uint64_t>(time.nanoseconds)) % modulus);
}

Result<Value> Add(const Environment&, Arguments arguments) {
  return Value(Moved(Self(arguments), arguments[1].As<GoDuration>()->nanoseconds));
}
Result<Value> Truncate(const Environment&, Arguments arguments) {
  const auto unit = arguments[1].As<GoDuration>()->nanoseconds;
  if (unit <= 0) return arguments[0];
  return Value(Moved(Self(arguments), -Remainder(Self(arguments), unit)));
}
Result<Value> Round(const Environment&, Arguments arguments) {
  const auto unit = arguments[1].As<GoDuration>()->nanoseconds;
  if (unit <= 0) return arguments[0];
  const auto rest = Remainder(Self(arguments), unit);
  return Value(Moved(Self(arguments), rest < unit - rest ? -rest : unit - rest));
}
Result<Value> UnixNano(const Environment&, Arguments arguments) {
  const Time& time = Self(arguments);
  return Value(WrappingSum(WrappingProduct(time.seconds, kSecond), time.nanoseconds));
}

std::strong_ordering Order(Arguments arguments) {
  const Time& a = Self(arguments);
  const Time& b = *arguments[1].As<Time>();
  return std::pair(a.seconds, a.nanoseconds) <=> std::pair(b.seconds, b.nanoseconds);
}

// Beyond 64 bits it is the longest duration there is, as in Go.
Result<Value> Sub(const Environment&, Arguments arguments) {
  using Limits = std::numeric_limits<std::int64_t>;
  const Time& a = Self(arguments);
  const Time& b = *arguments[1].As<Time>();
  std::int64_t nanoseconds = 0;
  if (__builtin_sub_overflow(a.seconds, b.seconds, &nanoseconds) ||
      __builtin_mul_overflow(nanoseconds, kSecond, &nanoseconds) ||
      __builtin_add_overflow(nanoseconds, a.nanoseconds - b.nanoseconds, &nanoseconds)) {
    nanoseconds = Order(arguments) < 0 ? Limits::min() : Limits::max();
  }
  return Value(GoDuration{nanoseconds});
}
Result<Value> Before(const Environment&, Arguments arguments) { return Order(arguments) < 0; }
Result<Value> After(const Environment&, Arguments arguments) { return Order(arguments) > 0; }
Result<Value> Equal(const Environment&, Arguments arguments) { return Order(arguments) == 0; }

constexpr char kUtc[] = "UTC";
constexpr char kLocal[] = "Local";

constexpr std::array kTimeMethods{
    Function{"Add", "d", Add},
    Function{"After", "t", After},
    Function{"Before", "t", Before},
    Function{"Day", "", Part<&Civil::day>},
    Function{"Equal", "t", Equal},
    Function{"Format", "s", Format},
    Function{"Hour", "", Part<&Civil::hour>},
    Function{"IsZero", "", IsZero},
    Function{"Local", "", InZone<kLocal>},
    Function{"Minute", "", Part<&Civil::minute>},
    Function{"Month", "", Month},
    Function{"Nanosecond", "", Part<&Civil::nanosecond>},
    Function{"Round", "d", Round},
    Function{"Second", "", Part<&Civil::second>},
    Function{"String", "", TimeString},
    Function{"Sub", "t", Sub},
    Function{"Truncate", "d", Truncate},
    Function{"UTC", "", InZone<kUtc>},
    Function{"Unix", "", Unix},
    Function{"UnixMilli", "", UnixMilli},
    Function{"UnixNano", "", UnixNano},
    Function{"Weekday", "", Weekday},
    Function{"Year", "", Year},
    Function{"YearDay", "", Part<&Civil::day_of_year>},
};

template <std::int64_t unit>
Result<Value> InUnits(const Environment&, Arguments arguments) {
  return Value(static_cast<double>(Nanoseconds(arguments)) / static_cast<double>(unit));
}
template <std::int64_t unit>
Result<Value> WholeUnits(const Environment&, Arguments arguments) {
  return Value(Nanoseconds(arguments) / unit);
}
Result<Value> DurationText(const Environment&, Arguments arguments) {
  return Value(DurationString(*arguments[0].As<GoDuration>()));
}

constexpr std::array kDurationMethods{
    Function{"Hours", "", InUnits<3'600'000'000'000>},
    Function{"Microseconds", "", WholeUnits<1'000>},
    Function{"Milliseconds", "", WholeUnits<1'000'000>},
    Function{"Minutes", "", InUnits<60'000'000'000>},
    Function{"Nanoseconds", "", WholeUnits<1>},
    Function{"Seconds", "", InUnits<1'000'000'000>},
    Function{"String", "", DurationText},
};

}  // namespace

std::span<const Function> TimeMethods() { return kTimeMethods; }
std::span<const Function> DurationMethods() { return kDurationMethods; }

}  // namespace vigia::alerting::templates
