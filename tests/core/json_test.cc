#include "core/text/json.h"

#include <catch2/catch.hpp>

#include "core/sample.h"

using namespace vigia;
using namespace vigia::text;

TEST_CASE("JSON writer puts commas and escapes", "[core]") {
  std::string out;
  JsonWriter json(out);
  json.BeginObject().Field("a\"b", "\x01\n\\").Key("list").BeginArray();
  json.Integer(-3).Number(0.1).Number(kNaN).Bool(true).Null();
  json.BeginObject().EndObject().BeginArray().EndArray().EndArray();
  json.Key("raw").Raw("{}").EndObject();
  REQUIRE(out == R"({"a\"b":"\u0001\n\\","list":[-3,0.1,null,true,null,{},[]],"raw":{}})");
}

TEST_CASE("JSON strings are UTF-8 whatever came in", "[core]") {
  std::string out;
  AppendJsonString(out, "ñ \xff <&>");
  REQUIRE(out == "\"ñ \xEF\xBF\xBD <&>\"");
}
