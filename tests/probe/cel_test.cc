// CEL expressions: values by the language's specification, and what is refused.

#include <catch2/catch.hpp>

#include "collectors/probe/cel.h"
#include "tests/probe/subject.h"
#include "tests/support/http_stub.h"

namespace vigia::test {
namespace {

using collectors::probe::CelExpression;

const std::string kBody = R"json({
  "status": "ok", "count": 3, "ratio": 0.5, "up": true, "none": null, "name": "café",
  "list": [1, 2, 3], "services": [ {"name": "db", "up": true}, {"name": "mail", "up": false} ],
  "odd key": {"a": {"b": "deep"}}
})json";

// "true", "false", or the error.
std::string Says(const std::string& text, const std::string& body = kBody) {
  const auto expression = CelExpression::Compile(text);
  if (!expression) return expression.error().message();
  const auto says = expression->Evaluate(body);
  return says ? (*says ? "true" : "false") : says.error().message();
}

}  // namespace

TEST_CASE("CEL expressions say what the specification says", "[probe]") {
  for (const std::string text : {
           "body.status == 'ok' && body.name.startsWith('c')",
           "body['status'] == \"ok\"",
           "body['odd key'].a.b == 'deep'",
           "body.count == 3 && body.count >= 3.0 && 2 < body.count && body.count != 4",
           "body.ratio * 2.0 == 1.0",
           "7 / 2 == 3 && 7 % 4 == 3 && -7 / 2 == -3 && 7.0 / 2.0 == 3.5",
           "1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 10 - 3 - 2 == 5",
           "'a' + 'b' == 'ab' && [1] + [2] == [1, 2]",
           "!body.services[1].up && body.services[0].up",
           "body.list[2] == 3 && size(body.list) == 3 && body.list.size() == 3",
           "size(body.name) == 4",
           "2 in body.list && !(5 in body.list) && 'status' in body && !('gone' in body)",
           "has(body.status) && !has(body.gone)",
           "body.none == null && body.up == true",
           "body.status.endsWith('k') && body.status.contains('o')",
           "body.status.matches('^o[k]$') && !body.status.matches('x')",
           "body.services.all(s, has(s.name)) && !body.services.all(s, s.up)",
           "body.services.exists(s, s.name == 'mail' && !s.up)",
           "body.services.exists_one(s, s.up)",
           "body.services.filter(s, s.up).map(s, s.name) == ['db']",
           "body.list.map(n, n > 1, n * 2.0) == [4.0, 6.0]",
           "body.up ? body.count == 3 : false",
           // An error on one side is none where the other side decides.
           "body.gone == 1 || true",
           "!(body.gone == 1 && false)",
           "body.list.exists(n, n == 1 || n.field == 2)",
           "int('12') == 12 && double('1.5') == 1.5 && string(12) == '12' && int(3.9) == 3",
           "{'a': 1}.a == 1 && {'a': 1} == {'a': 1} && 'a' in {'a': 1}",
           "r'\\d' == '\\\\d' && 'a\\u00e9' == 'aé' && '''it's''' == \"it's\"",
           "0x1F == 31 && 1e3 == 1000.0 && 5u == 5",
           "body.status == 'ok' // a comment\n && true",
       }) {
    INFO(text);
    REQUIRE(Says(text) == "true");
  }
  REQUIRE(Says("body.status == 'down'") == "false");
  REQUIRE(Says("'1' == 1") == "false");
  REQUIRE(Says("body.size() == 2", "[1, 2]") == "true");
}

TEST_CASE("CEL expressions that fail say where and why", "[probe]") {
  struct Case {
    std::string text;
    std::string says;
  };
  for (const auto& one : std::vector<Case>{
           {"", "column 1: the expression ends too early"},
           {"body.a ==", "column 10: the expression ends too early"},
           {"foo.bar", "column 1: 'foo' is not known; the root is 'body'"},
           {"timestamp(body.t) > 1", "column 1: there is no function 'timestamp' here"},
           {"body.a.split(',')", "column 8: there is no method 'split' here"},
           {"body.a.contains()", "column 8: contains() takes 1 argument"},
           {"has(body)", "column 1: has() takes a field, as in has(body.name)"},
           {"body.a.matches(body.b)", "column 21: matches() takes a string in quotes here"},
           {"body.a = 1", "column 8: '=' is not understood here"},
           {"(body.a", "column 8: expected ')'"},
           {"'abc", "column 1: this string has no end"},
           {"body.a 1", "column 8: '1' is not expected here"},
           {"body.gone == 1", "column 6: no such key: gone"},
           {"body.status.x == 1", "column 13: string has no field 'x'"},
           {"body.status < 1", "column 13: '<' does not take string and int"},
           {"body.list[3] == 1", "column 10: no such index"},
           {"body.count", "the result is no bool but double"},
           {"1 / 0 == 1", "column 3: division by zero"},
           {"9223372036854775807 + 1 > 0", "column 21: the result is too large"},
       }) {
    INFO(one.text);
    REQUIRE(Says(one.text) == one.says);
  }
  REQUIRE(Says(std::string(200, '(') + "1").find("nested too deeply") != std::string::npos);
  REQUIRE(Says("true", "no JSON") == "the body is not JSON");
  REQUIRE(Says("body == body", std::string(100'000, '[') + std::string(100'000, ']')) ==
          "the body is nested too deeply");
  std::string longest = "[1";
  for (int i = 0; i < 2000; ++i) longest += ",1";
  REQUIRE(Says("body.all(a, body.all(b, a == b))", longest + "]").find("takes too long") !=
          std::string::npos);
}

TEST_CASE("a probe fails due to CEL", "[probe]") {
  HttpStub stub;
  stub.Answer("/", {.body = R"({"foo": "bar", "n": 1})"});
  stub.Answer("/text", {.body = "no JSON"});
  const auto probe = [&](const std::string& path, const std::string& options) {
    return ProbeTarget("{ name: x, http: \"" + stub.Url(path) + "\", " + options + " }");
  };
  auto page = probe("/", "fail_if_body_json_not_matches_cel: \"body.foo == 'bar'\"");
  INFO(page);
  REQUIRE(HasLine(page, "probe_success 1"));
  REQUIRE(HasLine(page, "probe_failed_due_to_cel 0"));
  for (const auto& [path, options] : std::vector<std::pair<std::string, std::string>>{
           {"/", "fail_if_body_json_not_matches_cel: body.n > 1"},
           {"/", "fail_if_body_json_matches_cel: body.n == 1"},
           {"/", "fail_if_body_json_matches_cel: body.gone == 1"},
           {"/text", "fail_if_body_json_not_matches_cel: 'true'"},
       }) {
    page = probe(path, options);
    INFO(options << "\n" << page);
    REQUIRE(HasLine(page, "probe_success 0"));
    REQUIRE(HasLine(page, "probe_failed_due_to_cel 1"));
    REQUIRE(HasLine(page, "probe_failed_due_to_regex 0"));
  }
  REQUIRE(ProbeFaults("targets: [ { http: \"http://x/\", fail_if_body_json_matches_cel: now() } ]")
              .find("vigia.yml:1:") == 0);
}

}  // namespace vigia::test
