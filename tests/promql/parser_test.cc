#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "query/promql/regex.h"
#include "query/promql/syntax/parser.h"
#include "query/promql/syntax/printer.h"

namespace vigia::promql::test {
namespace {

std::string ErrorOf(std::string_view query, Semantics semantics = Semantics::kPrometheus3) {
  const auto parsed = Parse(query, semantics);
  if (parsed) return "";
  CHECK(parsed.error().kind == QueryError::Kind::kBadData);
  return parsed.error().message;
}

std::string Printed(std::string_view query) {
  const auto parsed = Parse(query);
  INFO(query);
  if (!parsed) return parsed.error().message;
  const std::string text = ToString((*parsed)->root());
  // What is printed means the same.
  const auto again = Parse(text);
  REQUIRE(again);
  CHECK(ToString((*again)->root()) == text);
  return text;
}

}  // namespace

TEST_CASE("a syntax error says what was found where, in Prometheus' words", "[promql]") {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "unknown position: parse error: no expression found in input"},
      {" \n # nothing", "1:1: parse error: no expression found in input"},
      {"1 +", "1:4: parse error: unexpected end of input"},
      {"1 + )", "1:5: parse error: unexpected right parenthesis ')'"},
      {"(1", "1:3: parse error: unclosed left parenthesis"},
      {"foo bar", "1:5: parse error: unexpected identifier \"bar\""},
      {"foo\nbar", "2:1: parse error: unexpected identifier \"bar\""},
      {"foo 5", "1:5: parse error: unexpected number \"5\""},
      {"foo \"a long string\"", "1:5: parse error: unexpected string \"\\\"a long st\"..."},
      {"foo =~ bar", "1:5: parse error: unexpected character after '=': '~'"},
      {"foo = bar", "1:5: parse error: unexpected \"=\""},
      {"foo ! bar", "1:5: parse error: unexpected character after '!': ' '"},
      {"foo + $", "1:7: parse error: unexpected character: '$'"},
      {"sum by (a foo",
       "1:11: parse error: unexpected identifier \"foo\" in grouping opts, expected "
       "\",\" or \")\""},
      {"sum by foo (bar)",
       "1:8: parse error: unexpected identifier \"foo\" in grouping opts, expected \"(\""},
      {"sum by (1) (bar)",
       "1:9: parse error: unexpected number \"1\" in grouping opts, expected label"},
      {"sum(foo bar)", "1:9: parse error: unexpected identifier \"bar\" in aggregation"},
      {"sum()", "1:1: parse error: no arguments for aggregate expression provided"},
      {"topk(foo)",
       "1:1: parse error: wrong number of arguments for aggregate expression provided, expected "
       "2, got 1"},
      {"rate(foo[5m],)", "1:13: parse error: trailing commas not allowed in function call args"},
      {"nosuch(foo)", "1:1: parse error: unknown function with name \"nosuch\""},
      {"foo{a=\"1\"", "1:10: parse error: unexpected end of input inside braces"},
      {"foo{a}",
       "1:6: parse error: unexpected \"}\" in label matching, expected label matching "
       "operator"},
      {"foo{a=b}",
       "1:7: parse error: unexpected identifier \"b\" in label matching, expected string"},
      {"foo{1=\"b\"}", "1:5: parse error: unexpected character inside braces: '1'"},
      {"foo{a=\"b\" c=\"d\"}",
       "1:11: parse error: unexpected identifier \"c\" in label matching, "
       "expected \",\" or \"}\""},
      {"foo{\"a\" b}",
       "1:9: parse error: unexpected identifier \"b\" in label matching, expected "
       "\",\" or \"}\""},
      {"foo{__name__=\"bar\"}",
       "1:1: parse error: metric name must not be set twice: \"foo\" or "
       "\"bar\""},
      {"foo[5m", "1:7: parse error: unclosed left bracket"},
      {"foo[]",
       "1:5: parse error: unexpected \"]\" in subquery or range selector, expected number, "
       "duration, step(), or range()"},
      {"foo[5m:1m:1m]", "1:10: parse error: unexpected colon ':'"},
      {"foo[5mm]", "1:5: parse error: bad number or duration syntax: \"5mm\""},
      {"foo[0]", "1:5: parse error: duration must be greater than 0"},
      {"foo[-5m]", "1:5: parse error: duration must be greater than 0"},
      {"foo[5m+1m]", "1:5: parse error: experimental duration expression is not enabled"},
      {"foo[300y]", "1:5: parse error: not a valid duration string: \"300y\""},
      {"foo[1e300]", "1:5: parse error: duration out of range"},
      {"(foo)[5m]", "1:6: parse error: ranges only allowed for vector selectors"},
      {"foo offset 5m [5m]", "1:15: parse error: no offset modifiers allowed before range"},
      {"foo @ 5 [5m]", "1:9: parse error: no @ modifiers allowed before range"},
      {"foo offset",
       "1:11: parse error: unexpected end of input in offset, expected number, "
       "duration, step(), or range()"},
      {"foo offset 1m offset 2m", "1:1: parse error: offset may not be set multiple times"},
      {"1 offset 5m",
       "1:1: parse error: offset modifier must be preceded by an instant vector "
       "selector or range vector selector or a subquery"},
      {"foo @ bar", "1:7: parse error: unexpected identifier \"bar\" in @, expected timestamp"},
      {"foo @ 1 @ 2", "1:1: parse error: @ <timestamp> may not be set multiple times"},
      {"foo @ Inf", "1:1: parse error: timestamp out of bounds for @ modifier: +Inf"},
      {"foo anchored", "1:1: parse error: anchored modifier is experimental and not enabled"},
      {"\"unterminated", "1:1: parse error: unterminated quoted string"},
      {"'\\q'", "1:1: parse error: unknown escape sequence U+0071 'q'"},
      {"'\\xfz'", "1:1: parse error: illegal character U+007A 'z' in escape sequence"},
      {"0x",
       "1:1: parse error: error parsing number: strconv.ParseFloat: parsing \"0x\": invalid "
       "syntax"},
      {"1e999",
       "1:1: parse error: error parsing number: strconv.ParseFloat: parsing \"1e999\": "
       "value out of range"},
      {"1..2", "1:1: parse error: bad number or duration syntax: \"1..\""},
      {"foo or", "1:7: parse error: unexpected end of input"},
      {"foo + on foo",
       "1:10: parse error: unexpected identifier \"foo\" in grouping opts, expected "
       "\"(\""},
  };
  for (const auto& [query, message] : cases) {
    INFO(query);
    CHECK(ErrorOf(query) == message);
  }
}

TEST_CASE("a type error names what was expected and what is there", "[promql]") {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"sum(1)",
       "1:5: parse error: expected type instant vector in aggregation expression, got "
       "scalar"},
      {"topk(\"1\", foo)",
       "1:6: parse error: expected type scalar in aggregation parameter, got string"},
      {"count_values(1, foo)",
       "1:14: parse error: expected type string in aggregation parameter, got scalar"},
      {"abs(foo[5m])",
       "1:5: parse error: expected type instant vector in call to function \"abs\", "
       "got range vector"},
      {"-\"x\"",
       "1:1: parse error: unary expression only allowed on expressions of type scalar or "
       "instant vector, got \"string\""},
      {"round(foo, 1, 2)",
       "1:1: parse error: expected at most 2 argument(s) in call to \"round\", got 3"},
      {"label_join(foo)",
       "1:1: parse error: expected at least 3 argument(s) in call to \"label_join\", got 1"},
      {"1 + \"x\"",
       "1:5: parse error: binary expression must contain only scalar and instant "
       "vector types"},
      {"info(foo, bar)",
       "1:11: parse error: expected label selectors only, got vector selector instead"},
  };
  for (const auto& [query, message] : cases) {
    INFO(query);
    CHECK(ErrorOf(query) == message);
  }
}

TEST_CASE("Prometheus 2 knows neither quoted names nor numbers for durations", "[promql]") {
  const auto fails = [](std::string_view query) {
    INFO(query);
    CHECK(ErrorOf(query) == "");
    CHECK(ErrorOf(query, Semantics::kPrometheus2) != "");
  };
  fails("{\"foo\"}");
  fails("foo{\"a.b\"=\"c\"}");
  fails("sum by (\"a.b\") (foo)");
  fails("foo[300]");
  fails("foo offset 60");
  fails("foo @ 1m");
  fails("5m");
  fails("1_000");
  fails("limitk(1, foo)");
  CHECK(ErrorOf("holt_winters(foo[5m], 0.1, 0.1)", Semantics::kPrometheus2) == "");
}

TEST_CASE("expressions are printed in canonical form", "[promql]") {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"1+2*3", "1 + 2 * 3"},
      {"- foo ^ 2", "-foo ^ 2"},
      {"SUM(foo)BY(b,a)", "sum by (b, a) (foo)"},
      {"sum by () (foo)", "sum(foo)"},
      {"sum without () (foo)", "sum without () (foo)"},
      {"topk(3,foo)", "topk(3, foo)"},
      {"foo{b='1',a=~\"x\"}", "foo{a=~\"x\",b=\"1\"}"},
      {"{__name__=\"foo\"}", "{__name__=\"foo\"}"},
      {"{\"a.b\",\"c d\"!='e'}", "{\"c d\"!=\"e\",__name__=\"a.b\"}"},
      {"foo[300]", "foo[5m]"},
      {"foo[1h30m] OFFSET -1d @ 1.5", "foo[1h30m] @ 1.500 offset -1d"},
      {"foo[5m:] @ start()", "foo[5m:] @ start()"},
      {"foo[5m:30s] offset 1w", "foo[5m:30s] offset 1w"},
      {"foo == BOOL on(a)group_left(b)bar", "foo == bool on (a) group_left (b) bar"},
      {"foo / ignoring (a) bar", "foo / ignoring (a) bar"},
      {"foo * on () bar", "foo * on () bar"},
      {"foo + fill(0) bar", "foo + fill (0) bar"},
      {"(foo)", "(foo)"},
      {"5m", "5m"},
      {"-5m", "-5m"},
      {"1e3", "1000"},
      {"0x1F", "31"},
      {"017", "15"},
      {"1_000.5", "1000.5"},
      {".5", "0.5"},
      {"+Inf", "+Inf"},
      {"foo ^ inf ^ bar", "foo ^ Inf ^ bar"},
      {"-Inf ^ 2", "-Inf ^ 2"},
      {"'a\"b\\n'", "\"a\\\"b\\n\""},
      {"`a\\b`", "\"a\\\\b\""},
      {"label_replace(foo,'a','$1','b','(.*)')",
       "label_replace(foo, \"a\", \"$1\", \"b\", \"(.*)\")"},
      {"foo and bar or baz unless qux", "foo and bar or baz unless qux"},
      {"foo # comment\n + bar", "foo + bar"},
  };
  for (const auto& [query, text] : cases) CHECK(Printed(query) == text);
}

TEST_CASE("long expressions are broken into indented lines", "[promql]") {
  const auto parsed = Parse(
      "sum by (job, instance) (rate(http_request_duration_seconds_count{job=\"api\"}[5m])) / on "
      "(job) group_left () sum(rate(http_request_duration_seconds_sum{job=\"api\"}[5m])) > 0.5");
  REQUIRE(parsed);
  CHECK(Prettify((*parsed)->root()) ==
        "    sum by (job, instance) (rate(http_request_duration_seconds_count{job=\"api\"}[5m]))\n"
        "  / on (job) group_left ()\n"
        "    sum(rate(http_request_duration_seconds_sum{job=\"api\"}[5m]))\n"
        ">\n"
        "  0.5");
  CHECK(Prettify((*Parse("foo+bar"))->root()) == "foo + bar");
}

TEST_CASE("operators bind as in Prometheus", "[promql]") {
  const auto shape = [](std::string_view query) {
    // Parenthesised copy of the tree.
    struct Shape {
      static std::string Of(const Expr& expr) {
        if (expr.kind == NodeKind::kBinary) {
          const auto& binary = static_cast<const Binary&>(expr);
          return "(" + Of(*binary.left) + std::string(Spelling(binary.op)) + Of(*binary.right) +
                 ")";
        }
        if (expr.kind == NodeKind::kUnary) {
          return "(-" + Of(*static_cast<const Unary&>(expr).expr) + ")";
        }
        return ToString(expr);
      }
    };
    return Shape::Of((*Parse(query))->root());
  };
  CHECK(shape("a + b * c ^ d ^ e - f") == "((a+(b*(c^(d^e))))-f)");
  CHECK(shape("a or b and c > d + e") == "(aor(band(c>(d+e))))");
  CHECK(shape("-a * b") == "((-a)*b)");
  CHECK(shape("-a ^ b") == "(-(a^b))");
  CHECK(shape("a ^ -b ^ c") == "(a^(-(b^c)))");
  CHECK(shape("a % b atan2 c") == "((a%b)atan2c)");
  CHECK(shape("a unless b and c") == "((aunlessb)andc)");
}

TEST_CASE("selectors of a query are listed", "[promql]") {
  const auto parsed = Parse("sum(rate(a{x=\"1\"}[5m])) / max_over_time(b[1h:]) + scalar(c)");
  REQUIRE(parsed);
  std::vector<std::string> texts;
  for (const auto* selector : (*parsed)->Selectors()) texts.push_back(ToString(*selector));
  CHECK(texts == std::vector<std::string>{"a{x=\"1\"}", "b", "c"});
}

TEST_CASE("a selector alone is parsed into matchers", "[promql]") {
  const auto matchers = ParseSelector("up{job=~\"a|b\", x!=\"\"}");
  REQUIRE(matchers);
  CHECK(*matchers == std::vector<Matcher>{{Matcher::Op::kRegex, "job", "a|b"},
                                          {Matcher::Op::kNotEqual, "x", ""},
                                          {Matcher::Op::kEqual, "__name__", "up"}});
  CHECK(!FitsEverything(*matchers));
  CHECK(FitsEverything(*ParseSelector("{a=~\".*\", b!=\"c\"}")));
  CHECK(!ParseSelector("up[5m]"));
  CHECK(!ParseSelector("up{"));
  CHECK(!ParseSelector("1"));
  CHECK(!ParseSelector(""));
}

TEST_CASE("regular expressions that Go does not know are refused", "[promql]") {
  CHECK_THAT(ErrorOf("a{b=~'x\\\\C'}"),
             Catch::Contains("error parsing regexp: invalid escape sequence: `\\C`"));
  CHECK_THAT(ErrorOf("a{b=~'(?P<\xC3\xA4>x)'}"),
             Catch::Contains("error parsing regexp: invalid named capture: `(?P<\xC3\xA4>`"));
  CHECK_THAT(ErrorOf("a{b=~'x\\\\Qy.z'}"),
             Catch::Contains("error parsing regexp: missing closing ): `x\\Qy.z`"));
  CHECK(ErrorOf("a{b=~'x\\\\\\\\C'}") == "");
  CHECK(ErrorOf("a{b=~'\\\\Q\\\\C\\\\E'}") == "");
  CHECK(ErrorOf("a{b=~'[(?P<\xC3\xA9>]'}") == "");
  CHECK(ErrorOf("a{b=~'(?P<name>\\\\Q(?P<\\\\E)'}") == "");
}

TEST_CASE("a pattern of many names of groups is refused at once", "[promql]") {
  std::string pattern;
  for (int i = 0; i < 200'000; ++i) pattern += "(?P<";
  CHECK(!Regex::CompileAnchored(pattern, Semantics::kPrometheus3));
  CHECK(!Regex::CompileAnchored(pattern + ">", Semantics::kPrometheus3));
}

TEST_CASE("what is too deep, too long or too much is refused without harm", "[promql]") {
  const auto repeated = [](std::string_view text, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += text;
    return out;
  };
  const std::size_t many = 100'000;
  CHECK_THAT(ErrorOf(repeated("(", many)), Catch::Contains("nested too deeply"));
  CHECK_THAT(ErrorOf(repeated("-", many) + "1"), Catch::Contains("nested too deeply"));
  CHECK_THAT(ErrorOf(repeated("1+", many) + "1"), Catch::Contains("nested too deeply"));
  CHECK_THAT(ErrorOf(repeated("2^", many) + "1"), Catch::Contains("nested too deeply"));
  CHECK_THAT(ErrorOf(repeated("abs(", many)), Catch::Contains("nested too deeply"));
  CHECK_THAT(ErrorOf("foo" + repeated("[5m:]", many)), Catch::Contains("nested too deeply"));
  CHECK_THAT(ErrorOf("foo{" + repeated("a=\"1\",", many) + "}"),
             Catch::Contains("more than 1000 label matchers"));
  CHECK_THAT(ErrorOf(repeated("1+", 1'000'000)), Catch::Contains("longer than 1048576 bytes"));
  CHECK_THAT(ErrorOf("foo{a=~\"" + repeated("(x{1000}){1000}", 20) + "\"}"),
             Catch::Contains("error parsing regexp"));
  CHECK(ErrorOf(repeated("1+", 900) + "1") == "");
}

}  // namespace vigia::promql::test
