#include "core/duration.h"

#include <catch2/catch.hpp>
#include <random>

using namespace vigia;

namespace {
std::int64_t Parse(std::string_view text) { return ParseDuration(text).value().count(); }
std::string Format(std::int64_t milliseconds) { return FormatDuration(Milliseconds(milliseconds)); }
}  // namespace

TEST_CASE("durations are read as Prometheus reads them", "[core]") {
  REQUIRE(Parse("0") == 0);
  REQUIRE(Parse("0s") == 0);
  REQUIRE(Parse("250ms") == 250);
  REQUIRE(Parse("90s") == 90'000);
  REQUIRE(Parse("1h30m") == 5'400'000);
  REQUIRE(Parse("1y1w1d1h1m1s1ms") == 32'230'861'001);
  REQUIRE(Parse("007m") == 420'000);
  REQUIRE(Parse("292y") == 292 * 365 * 86'400'000LL);
}

TEST_CASE("what is no duration says how to write one", "[core]") {
  for (const auto* wrong : {"", "5", "s", "1.5h", "-1s", "+1s", " 1s", "1s ", "1m1h", "1s1s", "1d2",
                            "1M", "1sec", "00", "293y", "9999999999999999999s", "1h 30m"}) {
    const auto duration = ParseDuration(wrong);
    REQUIRE_FALSE(duration);
    REQUIRE(duration.error() ==
            Error(ErrorCode::kInvalid, "'" + std::string(wrong) +
                                           "' is not a duration: write a number and a unit of ms, "
                                           "s, m, h, d, w or y, such as 30s or 1h30m"));
  }
}

TEST_CASE("durations are written in their shortest form", "[core]") {
  REQUIRE(Format(0) == "0s");
  REQUIRE(Format(1) == "1ms");
  REQUIRE(Format(90'000) == "1m30s");
  REQUIRE(Format(3'600'000) == "1h");
  REQUIRE(Format(14 * 86'400'000LL) == "2w");
  REQUIRE(Format(15 * 86'400'000LL) == "15d");
  REQUIRE(Format(365 * 86'400'000LL) == "1y");
  REQUIRE(Format(366 * 86'400'000LL) == "366d");
  REQUIRE(Format(-1500) == "-1s500ms");
}

TEST_CASE("a duration that is written reads back the same", "[core]") {
  std::mt19937_64 random(3);
  for (int i = 0; i < 2000; ++i) {
    const auto value = static_cast<std::int64_t>(random() >> (22 + random() % 40));
    REQUIRE(Parse(Format(value)) == value);
  }
}
