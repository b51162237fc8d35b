// Words and escapes of HTTP.

#include "core/text/words.h"

#include <catch2/catch.hpp>

#include "core/text/percent.h"

using namespace vigia::text;

TEST_CASE("a list of a header has a word in any case", "[core]") {
  REQUIRE(ListHas("keep-alive, Upgrade", "upgrade"));
  REQUIRE(ListHas(" UPGRADE ", "upgrade"));
  REQUIRE_FALSE(ListHas("upgrades,,x", "upgrade"));
  REQUIRE_FALSE(ListHas("", "upgrade"));
  REQUIRE(EqualsIgnoringCase("LocalHost", "localhost"));
  REQUIRE_FALSE(EqualsIgnoringCase("localhos", "localhost"));
  REQUIRE_FALSE(EqualsIgnoringCase("[", "{"));
}

TEST_CASE("percent-encoding and back", "[core]") {
  REQUIRE(FormEncode("a b&c=\xC3\xA9~-_.") == "a+b%26c%3D%C3%A9~-_.");
  REQUIRE(PercentEncode("a b/c", "/", false) == "a%20b/c");
  REQUIRE(PercentDecode("a+b%26%c3%A9", true) == "a b&\xC3\xA9");
  REQUIRE(PercentDecode("a+b", false) == "a+b");
  REQUIRE(PercentDecode("100%, %4, %zz, %", true) == "100%, %4, %zz, %");
}
