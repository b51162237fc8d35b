#include "core/config/diagnostics.h"

#include <catch2/catch.hpp>

using namespace vigia::config;

TEST_CASE("faults are listed in the order of the file", "[config]") {
  Diagnostics diagnostics("vigia.yml");
  REQUIRE(diagnostics.ok());
  REQUIRE(diagnostics.ToString().empty());
  diagnostics.Add({7, 3}, "late");
  diagnostics.Add({2, 9}, "early");
  diagnostics.Add({2, 9}, "early, said later");
  diagnostics.Add({}, "of the whole file");
  REQUIRE_FALSE(diagnostics.ok());
  REQUIRE(diagnostics.ToString() ==
          "vigia.yml: of the whole file\n"
          "vigia.yml:2:9: early\n"
          "vigia.yml:2:9: early, said later\n"
          "vigia.yml:7:3: late\n");
}

TEST_CASE("a fault is one printable line of bounded length", "[config]") {
  Diagnostics diagnostics("f");
  diagnostics.Add({1, 1}, "key 'a\nb\x1b[31mñ\x7f' \t");
  REQUIRE(diagnostics.ToString() == "f:1:1: key 'a\\nb\\x1b[31mñ\\x7f' \\x09\n");

  Diagnostics cut("f");
  cut.Add({1, 1}, std::string(599, 'x') + "ñ and more");
  REQUIRE(cut.ToString() == "f:1:1: " + std::string(599, 'x') + "...\n");
}

TEST_CASE("more faults than anybody reads are counted", "[config]") {
  Diagnostics diagnostics("f");
  for (int i = 1; i <= 203; ++i) diagnostics.Add({i, 1}, "x");
  const auto lines = diagnostics.Lines();
  REQUIRE(lines.size() == 201);
  REQUIRE(lines[199] == "f:200:1: x");
  REQUIRE(lines[200] == "f: and 3 more faults");
}

TEST_CASE("the nearest known word is found for typing mistakes only", "[config]") {
  constexpr std::string_view kKnown[] = {"interval", "timeout", "name", "max_series"};
  REQUIRE(Nearest("intervall", kKnown) == "interval");
  REQUIRE(Nearest("itnerval", kKnown) == "interval");
  REQUIRE(Nearest("max-series", kKnown) == "max_series");
  REQUIRE(Nearest("nmae", kKnown) == "name");
  REQUIRE(Nearest("password", kKnown) == "");
  REQUIRE(Nearest(std::string(100, 'x'), kKnown) == "");
  REQUIRE(Nearest("x", {}) == "");
}
