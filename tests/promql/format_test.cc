#include <catch2/catch.hpp>

#include "query/promql/format.h"

namespace vigia::promql::test {

TEST_CASE("numbers are written as Go does without exponent", "[promql]") {
  CHECK(FormatFixed(0) == "0");
  CHECK(FormatFixed(-0.0) == "-0");
  CHECK(FormatFixed(5) == "5");
  CHECK(FormatFixed(-12.5) == "-12.5");
  CHECK(FormatFixed(0.1) == "0.1");
  CHECK(FormatFixed(0.000123) == "0.000123");
  CHECK(FormatFixed(123456789.125) == "123456789.125");
  CHECK(FormatFixed(100) == "100");
  CHECK(FormatFixed(1.7e20) == "170000000000000000000");
  CHECK(FormatFixed(1e22) == "10000000000000000000000");
  CHECK(FormatFixed(1.5e-7) == "0.00000015");
  CHECK(FormatFixed(kNaN) == "NaN");
  CHECK(FormatFixed(kInfinity) == "+Inf");
  CHECK(FormatFixed(-kInfinity) == "-Inf");
  CHECK(FormatFixed(5e-324).size() == 326);
  CHECK(FormatFixed(1.7976931348623157e308).size() == 309);
}

TEST_CASE("numbers in messages have an exponent where Go's have", "[promql]") {
  CHECK(FormatGeneral(1.5) == "1.5");
  CHECK(FormatGeneral(100000) == "100000");
  CHECK(FormatGeneral(1234567) == "1.234567e+06");
  CHECK(FormatGeneral(0.0001) == "0.0001");
  CHECK(FormatGeneral(0.00005) == "5e-05");
  CHECK(FormatGeneral(-kInfinity) == "-Inf");
  CHECK(FormatShort(1234.5) == "1.2e+03");
}

TEST_CASE("times in messages are those of RFC 3339", "[promql]") {
  CHECK(FormatRfc3339(0) == "1970-01-01T00:00:00Z");
  CHECK(FormatRfc3339(1'709'210'096'789) == "2024-02-29T12:34:56Z");
  CHECK(FormatRfc3339(-1) == "1969-12-31T23:59:59Z");
}

}  // namespace vigia::promql::test
