// fmt's verbs. The expected texts follow the documentation of Go's package fmt.

#include <catch2/catch.hpp>

#include "alerting/templates/print.h"
#include "tests/templates/expand.h"

using namespace vigia::alerting::templates;

namespace {

std::string Format(std::string_view format, std::vector<Value> values = {}) {
  return Sprintf(format, values);
}

}  // namespace

TEST_CASE("printf writes integers", "[templates]") {
  CHECK(Format("%d|%5d|%-5d|%05d|%+d|% d|%x|%X|%#x|%o|%b|%c|%U|%q",
               {42, 42, 42, 42, 42, 42, 255, 255, 255, 8, 5, 241, 241, 120}) ==
        "42|   42|42   |00042|+42| 42|ff|FF|0xff|10|101|ñ|U+00F1|'x'");
  CHECK(Format("%05d|%.3d|%8.3d", {-42, 7, -7}) == "-0042|007|    -007");
  CHECK(Format("%v", {std::int64_t{-9'223'372'036'854'775'807} - 1}) == "-9223372036854775808");
}

TEST_CASE("printf writes floating point numbers", "[templates]") {
  CHECK(Format("%f|%.2f|%8.2f|%-8.2f|%08.2f|%+.1f|%e|%.3g|%g",
               {3.14159, 3.14159, 3.14159, 3.14159, -3.14159, 2.0, 123456.789, 0.00001234,
                100000.0}) ==
        "3.141590|3.14|    3.14|3.14    |-0003.14|+2.0|1.234568e+05|1.23e-05|100000");
  CHECK(Format("%v %v %v %v %v %v", {0.1, 1e6, 1234567.0, 1e21, 1e-5, 100.0}) ==
        "0.1 1e+06 1.234567e+06 1e+21 1e-05 100");
  CHECK(Format("%v %v %v %.4g", {1.0 / 0.0, -1.0 / 0.0, 0.0 / 0.0, 1.0 / 0.0}) ==
        "+Inf -Inf NaN +Inf");
  CHECK(Format("%6.0f|%.0f", {2.5, 3.5}) == "     2|4");
}

TEST_CASE("printf writes texts, truths and lists", "[templates]") {
  CHECK(Format("%s|%10s|%-5s|%.2s|%q|%x|%t|%v",
               {"añb", "añb", "a", "añb", "a\"\n", "hi", true, false}) ==
        "añb|       añb|a    |añ|\"a\\\"\\n\"|6869|true|false");
  CHECK(Format("%v %s %q %d", {StringList({"a", "b"}), StringList({"a", "b"}),
                               StringList({"a", "b"}), StringList({"a"})}) ==
        "[a b] [a b] [\"a\" \"b\"] [%!d(string=a)]");
  CHECK(Format("%v %T %T %T", {Value(), 1, 1.5, "x"}) == "<nil> int float64 string");
  CHECK(Format("%v|%s|%d", {GoDuration{90'500'000'000}, GoDuration{1'500}, GoDuration{7}}) ==
        "1m30.5s|1.5µs|7");
}

TEST_CASE("printf says what is wrong in the text", "[templates]") {
  CHECK(Format("%d", {"hi"}) == "%!d(string=hi)");
  CHECK(Format("%s", {5}) == "%!s(int=5)");
  CHECK(Format("%d %d", {1}) == "1 %!d(MISSING)");
  CHECK(Format("%d", {1, "x", 2.5}) == "1%!(EXTRA string=x, float64=2.5)");
  CHECK(Format("%") == "%!(NOVERB)");
  CHECK(Format("%z", {3}) == "%!z(int=3)");
  CHECK(Format("100%%") == "100%");
  CHECK(Format("%s", {Value()}) == "%!s(<nil>)");
}

TEST_CASE("printf takes widths and indexes from the arguments", "[templates]") {
  CHECK(Format("%*d|%-*d|%.*f", {4, 7, 4, 7, 1, 2.25}) == "   7|7   |2.2");
  CHECK(Format("%[2]d %[1]d", {1, 2}) == "2 1");
  CHECK(Format("%[3]d", {1}) == "%!d(BADINDEX)");
  CHECK(Format("%*d", {"x", 1}) == "%!(BADWIDTH)1");
  CHECK(Format("%[1]q %[1]s", {"a"}) == "\"a\" a");
}
