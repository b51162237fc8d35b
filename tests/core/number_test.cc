#include "core/number.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

using namespace vigia;

namespace {
double Parse(std::string_view text) { return ParseDouble(text).value(); }
constexpr double kInf = std::numeric_limits<double>::infinity();
}  // namespace

TEST_CASE("numbers are written in the shortest form that reads back the same", "[core]") {
  REQUIRE(FormatDouble(0) == "0");
  REQUIRE(FormatDouble(-0.0) == "-0");
  REQUIRE(FormatDouble(1) == "1");
  REQUIRE(FormatDouble(-17) == "-17");
  REQUIRE(FormatDouble(0.1 + 0.2) == "0.30000000000000004");
  REQUIRE(FormatDouble(0.3) == "0.3");
  REQUIRE(FormatDouble(1e6) == "1000000");
  REQUIRE(FormatDouble(9007199254740992) == "9007199254740992");
  REQUIRE(FormatDouble(1e22) == "1e+22");
  REQUIRE(FormatDouble(1.7976931348623157e308) == "1.7976931348623157e+308");
  REQUIRE(FormatDouble(5e-324) == "5e-324");
  REQUIRE(FormatDouble(1.5e-7) == "1.5e-07");
  REQUIRE(FormatDouble(kInf) == "+Inf");
  REQUIRE(FormatDouble(-kInf) == "-Inf");
  REQUIRE(FormatDouble(std::nan("")) == "NaN");
}

TEST_CASE("any double that is written reads back with the same bits", "[core]") {
  std::mt19937_64 random(11);
  for (int i = 0; i < 200'000; ++i) {
    // All exponents, and integers around the limit of the fast path.
    const double value =
        i % 4 == 0 ? static_cast<double>(static_cast<std::int64_t>(random()) >> (random() % 64))
                   : std::bit_cast<double>(random());
    if (std::isnan(value)) continue;
    char text[kMaxDoubleChars];
    const std::string_view written(text, static_cast<std::size_t>(WriteDouble(text, value) - text));
    const auto back = ParseDouble(written);
    if (!back || std::bit_cast<std::uint64_t>(*back) != std::bit_cast<std::uint64_t>(value)) {
      FAIL(std::string(written));
    }
  }
}

TEST_CASE("doubles are read in every form that Prometheus accepts", "[core]") {
  REQUIRE(Parse("1") == 1);
  REQUIRE(Parse("+1.5") == 1.5);
  REQUIRE(Parse("-.5") == -0.5);
  REQUIRE(Parse("5.") == 5);
  REQUIRE(Parse("1E3") == 1000);
  REQUIRE(Parse("0x1F") == 31);
  REQUIRE(Parse("-0X1.8p1") == -3);
  REQUIRE(Parse("0x1p-1074") == 5e-324);
  REQUIRE(Parse("2.2250738585072011e-308") == 2.2250738585072011e-308);
  REQUIRE(Parse("4.9e-324") == 5e-324);
  REQUIRE(std::signbit(Parse("-0")));
  REQUIRE(Parse("Inf") == kInf);
  REQUIRE(Parse("+inf") == kInf);
  REQUIRE(Parse("-INF") == -kInf);
  REQUIRE(Parse("infinity") == kInf);
  REQUIRE(std::isnan(Parse("NaN")));
  REQUIRE(std::isnan(Parse("nan")));
}

TEST_CASE("what is too small for a double is zero and what is too large is a fault", "[core]") {
  REQUIRE(Parse("1e-400") == 0);
  REQUIRE(std::signbit(Parse("-1e-400")));
  REQUIRE(Parse("0x1p-2000") == 0);
  for (const auto* large : {"1e309", "-1e400", "0x1p1024", "1e99999"}) {
    REQUIRE(ParseDouble(large).error() ==
            Error(ErrorCode::kInvalid, "'" + std::string(large) + "' is too large for a number"));
  }
}

TEST_CASE("what is no number is a fault", "[core]") {
  for (const auto* wrong :
       {"",   " 1",   "1 ",  "1x",   "x",   "+",     "-",    ".",    "e5",    "1e",  "--1", "+-1",
        "0x", "0x-1", "0xg", "0x1p", "1,5", "1_000", "infx", "nanx", "1e5.5", "0b1", "١"}) {
    REQUIRE(ParseDouble(wrong).error() ==
            Error(ErrorCode::kInvalid, "'" + std::string(wrong) + "' is not a number"));
  }
  REQUIRE_FALSE(ParseDouble(std::string_view("1\0", 2)));
}

TEST_CASE("integers are read whole and within their range", "[core]") {
  REQUIRE(ParseInt("-9223372036854775808").value() == INT64_MIN);
  REQUIRE(ParseInt("9223372036854775807").value() == INT64_MAX);
  REQUIRE(ParseUint("18446744073709551615").value() == UINT64_MAX);
  for (const auto* wrong : {"", "1.0", "1x", " 1", "0x1", "9223372036854775808", "--1"}) {
    REQUIRE_FALSE(ParseInt(wrong));
  }
  REQUIRE_FALSE(ParseUint("-1"));
  REQUIRE_FALSE(ParseUint("18446744073709551616"));
}
