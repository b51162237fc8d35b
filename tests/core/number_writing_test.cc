#include <bit>
#include <catch2/catch.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <random>

#include "core/number.h"
#include "core/text/scan.h"

using namespace vigia;

namespace {

std::string Shortest(double value) {
  char buffer[64];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

void CheckFraction(double value) {
  CAPTURE(value);
  if (value != std::trunc(value)) REQUIRE(FormatDouble(value) == Shortest(value));
  const auto read = text::ParseValue(FormatDouble(value));
  REQUIRE(read);
  REQUIRE(std::bit_cast<std::uint64_t>(*read) == std::bit_cast<std::uint64_t>(value));
}

}  // namespace

TEST_CASE("the shortest text that reads back is written for every fraction", "[core]") {
  for (const double value : {0.001, 0.0009, 0.25, 0.1, 0.3, 1234.56, 0.000001, 0.001001, 1.5e-3,
                             999999999.999999, 1e9 + 0.5, 123456789.123456, 0.9999995, 0.1 + 0.2}) {
    CheckFraction(value);
    CheckFraction(-value);
  }
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const auto mantissa = static_cast<double>(random() % 10'000'000'000);
    const double scales[] = {10, 100, 1e3, 1e4, 1e6, 1e7, 1e9};
    CheckFraction(mantissa / scales[random() % std::size(scales)]);
    const auto any = std::bit_cast<double>(random());
    if (std::isfinite(any)) CheckFraction(any);
  }
}
