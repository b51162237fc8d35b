// Matchers as Alertmanager reads and prints them.

#include "alerting/route/matcher.h"

#include <catch2/catch.hpp>

using namespace vigia;
using namespace vigia::alerting::route;

namespace {

// Parsed and printed again, or "error: " and the message.
std::string Parsed(std::string_view text) {
  const auto matchers = ParseMatchers(text);
  return matchers ? ToString(*matchers) : "error: " + matchers.error().message();
}

bool Matches(std::string_view text, const Labels& labels) {
  return MatchesAll(ParseMatchers(text).value(), labels);
}

}  // namespace

TEST_CASE("matchers are read bare, quoted, in braces and in lists", "[route]") {
  CHECK(Parsed("a=b") == R"({a="b"})");
  CHECK(Parsed("  a = \"b\"  ") == R"({a="b"})");
  CHECK(Parsed(R"({a="b", c=~"d|e", f!=g,h!~"i.*",})") == R"({a="b",c=~"d|e",f!="g",h!~"i.*"})");
  CHECK(Parsed("a=b,c=d") == R"({a="b",c="d"})");
  CHECK(Parsed("a=") == R"({a=""})");
  CHECK(Parsed("{}") == "{}");
  CHECK(Parsed(R"(a="x,y}z")") == R"({a="x,y}z"})");
  CHECK(Parsed(R"(a=~\d+\.com)") == R"({a=~"\\d+\\.com"})");
  CHECK(Parsed(R"({a=~[0-9]{3}})") == R"({a=~"[0-9]{3}"})");
  CHECK(Parsed(R"(a="say \"hi\"\nnow \\ \d")") == R"({a="say \"hi\"\nnow \\ \\d"})");
  CHECK(Parsed(R"("kind of host"="böse")") == R"({"kind of host"="böse"})");
  CHECK(Parsed("größe=5") == R"({"größe"="5"})");
}

TEST_CASE("a wrong matcher says what is wrong and where", "[route]") {
  CHECK(Parsed("") ==
        "error: matcher '', character 1: no matcher; write one such as severity=\"page\"");
  CHECK(Parsed("page") ==
        "error: matcher 'page', character 5: an operator is missing: write =, !=, =~ or !~");
  CHECK(Parsed("=x") == "error: matcher '=x', character 1: the name of a label is missing");
  CHECK(Parsed("a=\"x") == "error: matcher 'a=\"x', character 5: the quote (\") is not closed");
  CHECK(Parsed("{a=b") == "error: matcher '{a=b', character 5: the brace { is not closed");
  CHECK(Parsed("a b=c") == "error: matcher 'a b=c', character 4: a name with spaces needs quotes");
  CHECK(Parsed(R"(a="b" c="d")") ==
        "error: matcher 'a=\"b\" c=\"d\"', character 7: a comma is missing between two matchers");
  CHECK(Parsed("a=~\"(\"").find("missing closing )") != std::string::npos);
}

TEST_CASE("a missing label counts as empty and regular expressions are anchored", "[route]") {
  const Labels labels{{"alertname", "Down"}, {"team", "db"}};
  CHECK(Matches("team=db", labels));
  CHECK_FALSE(Matches("team=d", labels));
  CHECK_FALSE(Matches("team=~d", labels));
  CHECK(Matches("team=~d.", labels));
  CHECK(Matches("team=~web|db", labels));
  CHECK(Matches("nothing=\"\"", labels));
  CHECK(Matches("nothing!=x", labels));
  CHECK(Matches("nothing=~.*", labels));
  CHECK_FALSE(Matches("nothing=~.+", labels));
  CHECK_FALSE(Matches("team=db,alertname=Up", labels));
  CHECK_FALSE(Matches("text=~a.b", Labels{{"text", "a\nb"}}));
}
