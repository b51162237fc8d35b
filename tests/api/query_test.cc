// query and query_range: shapes, parameters, error codes, as Prometheus has them.

#include <libdeflate.h>

#include <array>
#include <catch2/catch.hpp>
#include <charconv>
#include <cmath>
#include <random>
#include <stop_token>

#include "core/number.h"
#include "exporter/api/query_gate.h"
#include "exporter/api/result_json.h"
#include "tests/api/stand.h"

using namespace vigia;
using namespace vigia::test;

namespace {

constexpr auto kSuccess = R"({"status":"success","data":)";

std::string Failure(std::string_view type, std::string_view message) {
  return R"({"status":"error","errorType":")" + std::string(type) + R"(","error":")" +
         std::string(message) + R"("})";
}

std::string Gunzip(std::string_view bytes, std::size_t size) {
  std::string out(size, '\0');
  auto* decompressor = libdeflate_alloc_decompressor();
  REQUIRE(libdeflate_gzip_decompress(decompressor, bytes.data(), bytes.size(), out.data(),
                                     out.size(), nullptr) == LIBDEFLATE_SUCCESS);
  libdeflate_free_decompressor(decompressor);
  return out;
}

std::string Rendered(double value) {
  std::string out;
  api::AppendSample(out, 1'500, value);
  return out;
}

}  // namespace

TEST_CASE("an instant query answers each type of value", "[api]") {
  ApiStand stand;
  stand.AppendUp();
  REQUIRE(stand.Get("/api/v1/query?query=up&time=1700000000.5").body ==
          std::string(kSuccess) +
              R"({"resultType":"vector","result":[)"
              R"({"metric":{"__name__":"up","job":"a"},"value":[1700000000.500,"1"]},)"
              R"({"metric":{"__name__":"up","job":"b"},"value":[1700000000.500,"0"]}]}})");
  REQUIRE(stand.Get("/api/v1/query?query=1%2B1&time=4").body ==
          std::string(kSuccess) + R"({"resultType":"scalar","result":[4,"2"]}})");
  REQUIRE(stand.Get("/api/v1/query?query=%22a%5C%22b%22&time=4").body ==
          std::string(kSuccess) + R"({"resultType":"string","result":[4,"a\"b"]}})");
  REQUIRE(stand.Get("/api/v1/query?query=up{job=%22a%22}[30s]&time=1700000000").body ==
          std::string(kSuccess) +
              R"({"resultType":"matrix","result":[{"metric":{"__name__":"up","job":"a"},)"
              R"("values":[[1699999985,"1"],[1700000000,"1"]]}]}})");
}

TEST_CASE("parameters come by GET, by POST, and default to now", "[api]") {
  ApiStand stand;
  stand.AppendUp();
  const auto get = stand.Get("/api/v1/query?query=sum(up)");
  REQUIRE(get.status == 200);
  REQUIRE(get.body == stand.PostForm("/api/v1/query", "query=sum(up)").body);
  REQUIRE(get.body.find("[1700000000,\"1\"]") != std::string::npos);
  REQUIRE(stand.Get("/api/v1/query?query=sum(up)&time=2023-11-14T22:13:20Z").body == get.body);
  REQUIRE(stand.Get("/api/v1/query?query=sum(up)&time=2023-11-14T23:13:20%2B01:00").body ==
          get.body);
}

TEST_CASE("a form counts before the address, as in Go", "[api]") {
  const ApiStand stand;
  http::Request request;
  request.method = "POST";
  request.path = "/api/v1/query";
  request.query = {{"time", "1"}, {"query", "2"}};
  request.form = {{"query", "time()"}};
  const auto answer = stand.Send(request);
  REQUIRE(answer.body.find(R"("result":[1,"1"])") != std::string::npos);
}

TEST_CASE("times are rounded to milliseconds as Prometheus rounds them", "[api]") {
  const ApiStand stand;
  const auto time_of = [&](const std::string& time) {
    const auto body = stand.Get("/api/v1/query?query=time()&time=" + time).body;
    const auto begin = body.find("\"result\":[") + 10;
    return body.substr(begin, body.find(',', begin) - begin);
  };
  CHECK(time_of("1795852000.0005") == "1795852000");  // that number is a bit smaller
  CHECK(time_of("1795852000.00051") == "1795852000.001");
  CHECK(time_of("-0.0015") == "-0.002");
  CHECK(time_of("1e3") == "1000");
}

TEST_CASE("a range query answers a matrix", "[api]") {
  ApiStand stand;
  stand.AppendUp();
  const std::string expected =
      std::string(kSuccess) +
      R"({"resultType":"matrix","result":[{"metric":{},"values":[[1699999940,"1"],[1699999970,"1"],)"
      R"([1700000000,"1"]]}]}})";
  REQUIRE(
      stand.Get("/api/v1/query_range?query=sum(up)&start=1699999940&end=1700000000&step=30").body ==
      expected);
  REQUIRE(
      stand
          .PostForm("/api/v1/query_range", "query=sum(up)&start=1699999940&end=1700000000&step=30s")
          .body == expected);
}

TEST_CASE("wrong parameters are refused in Prometheus' words", "[api]") {
  const ApiStand stand;
  const auto refused = [&](std::string_view target, int status, std::string_view type,
                           std::string_view message) {
    const auto answer = stand.Get(target);
    INFO(target);
    CHECK(answer.status == status);
    CHECK(answer.body == Failure(type, message));
  };
  refused("/api/v1/query?query=up&time=bad", 400, "bad_data",
          R"(invalid parameter \"time\": cannot parse \"bad\" to a valid timestamp)");
  refused("/api/v1/query?query=up&timeout=x", 400, "bad_data",
          R"(invalid parameter \"timeout\": cannot parse \"x\" to a valid duration)");
  refused("/api/v1/query?query=up(", 400, "bad_data",
          R"(invalid parameter \"query\": 1:4: parse error: unclosed left parenthesis)");
  refused(
      "/api/v1/query", 400, "bad_data",
      R"(invalid parameter \"query\": unknown position: parse error: no expression found in input)");
  refused("/api/v1/query_range?query=up&start=10&end=0&step=1", 400, "bad_data",
          R"(invalid parameter \"end\": end timestamp must not be before start time)");
  refused("/api/v1/query_range?query=up&start=0&end=10", 400, "bad_data",
          R"(invalid parameter \"step\": cannot parse \"\" to a valid duration)");
  refused("/api/v1/query_range?query=up&start=0&end=10&step=0", 400, "bad_data",
          R"(invalid parameter \"step\": zero or negative query resolution step widths are not )"
          R"(accepted. Try a positive integer)");
  refused("/api/v1/query_range?query=up&start=0&end=11001&step=1", 400, "bad_data",
          "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query "
          "resolution (?step=XX)");
  REQUIRE(stand.Get("/api/v1/query_range?query=up&start=0&end=11000&step=1").status == 200);
}

TEST_CASE("timeout is read as Prometheus reads it", "[api]") {
  ApiStand stand;
  stand.AppendUp();
  const auto ask = [&](std::string_view timeout) {
    return stand.Get("/api/v1/query?query=up&timeout=" + std::string(timeout));
  };
  for (const auto* timeout : {"", "5", "1h30m", "1d", "100y", "9223372036", "0.5"}) {
    INFO(timeout);
    CHECK(ask(timeout).status == 200);
  }
  // No time at all is over at once.
  for (const auto* timeout : {"0", "0s", "-0", "-1", "-1e9", "1e-9", "0.0001"}) {
    INFO(timeout);
    CHECK(ask(timeout).status == 503);
    CHECK(ask(timeout).body.find(R"("errorType":"timeout")") != std::string::npos);
  }
  for (const auto* timeout : {"x", "-1s", "5%20m", "1m1m", "300y", "NaN", "%D9%A1"}) {
    INFO(timeout);
    CHECK(ask(timeout).status == 400);
    CHECK(ask(timeout).body.find("to a valid duration\"") != std::string::npos);
  }
  for (const auto* timeout : {"Inf", "-Inf", "%2BInf", "1e300", "1e18", "9223372037"}) {
    INFO(timeout);
    CHECK(ask(timeout).status == 400);
    CHECK(ask(timeout).body.find("to a valid duration. It overflows int64\"") != std::string::npos);
  }
}

TEST_CASE("a query that needs more than its timeout ends with it", "[api]") {
  ApiStand stand;
  for (int minute = 120; minute >= 0; --minute) {
    stand.Append({{"__name__", "x"}}, ApiStand::kNow - minute * 60'000, minute);
  }
  // A median of 3,600 values for each of thousands of steps: seconds, if it were let.
  const auto answer = stand.PostForm(
      "/api/v1/query_range",
      "query=sum_over_time(quantile_over_time(0.5,x[1h:1s])[1h:1s])&start=1699999400&end="
      "1700000000&step=1&timeout=20ms");
  CHECK(answer.status == 503);
  CHECK(answer.body == Failure("timeout", "query timed out in expression evaluation"));
}

TEST_CASE("limit, lookback_delta and stats do what they say", "[api]") {
  ApiStand stand;
  stand.AppendUp();
  const auto limited = stand.Get("/api/v1/query?query=up&limit=1");
  REQUIRE(limited.body.find("\"job\":\"b\"") == std::string::npos);
  REQUIRE(limited.body.ends_with(R"(,"warnings":["results truncated due to limit"]})"));
  const auto ahead = "/api/v1/query?query=up&time=1700000060";
  REQUIRE(stand.Get(ahead).body.find("\"a\"") != std::string::npos);
  REQUIRE(stand.Get(std::string(ahead) + "&lookback_delta=30s").body.find("\"a\"") ==
          std::string::npos);
  const auto stats = stand.Get("/api/v1/query?query=sum(up)&stats=all");
  REQUIRE(stats.body.find(R"("samples":{"totalQueryableSamples":2,)") != std::string::npos);
}

TEST_CASE("warnings of the engine stand beside the data", "[api]") {
  ApiStand stand;
  stand.AppendUp();
  const auto answer = stand.Get("/api/v1/query?query=quantile(3,up)");
  REQUIRE(answer.status == 200);
  REQUIRE(answer.body.find(R"("warnings":["PromQL warning: quantile value should be between 0 )") !=
          std::string::npos);
}

TEST_CASE("numbers have the API's form", "[api]") {
  REQUIRE(Rendered(1) == R"([1.500,"1"])");
  REQUIRE(Rendered(-0.0) == R"([1.500,"-0"])");
  REQUIRE(Rendered(0.1) == R"([1.500,"0.1"])");
  REQUIRE(Rendered(1e-7) == R"([1.500,"1e-07"])");
  REQUIRE(Rendered(0.000001) == R"([1.500,"0.000001"])");
  REQUIRE(Rendered(-123456789.25) == R"([1.500,"-123456789.25"])");
  // Shortest digits, then zeros: not the exact value, which ends in 336.
  REQUIRE(Rendered(294951041564774336.0) == R"([1.500,"294951041564774340"])");
  REQUIRE(Rendered(1e21) == R"([1.500,"1e+21"])");
  REQUIRE(Rendered(kNaN) == R"([1.500,"NaN"])");
  REQUIRE(Rendered(-kInfinity) == R"([1.500,"-Inf"])");
}

TEST_CASE("decimals have their shortest form", "[api]") {
  std::mt19937_64 random(7);
  std::size_t wrong = 0;
  for (int i = 0; i < 100'000; ++i) {
    const auto digits = static_cast<std::int64_t>(random() >> (i % 60 + 4));
    double value = static_cast<double>(i % 2 == 0 ? digits : -digits);
    // Of up to nine decimals, and neighbours of such ones.
    for (int decimals = i % 10; decimals > 0; --decimals) value /= 10;
    if (i % 3 == 2) value = std::nextafter(value, 0);
    if (std::fabs(value) < 1e-6 || std::fabs(value) >= 9e15) continue;
    std::array<char, 64> text{};
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed).ptr;
    wrong += Rendered(value) != "[1.500,\"" + std::string(text.data(), end) + "\"]";
  }
  REQUIRE(wrong == 0);
}

TEST_CASE("large answers are compressed or streamed, and the same", "[api]") {
  ApiStand stand;
  for (int i = 0; i < 4000; ++i) {
    const auto name = "series-" + std::to_string(i);
    stand.Append({{"__name__", "many"}, {"name", name}}, ApiStand::kNow, i);
  }
  const auto target = "/api/v1/query_range?query=many&start=1700000000&end=1700000240&step=15";
  const auto streamed = stand.Get(target);
  const auto gzip = stand.Get(target, {{"accept-encoding", "gzip"}});
  REQUIRE(gzip.body.size() < streamed.body.size() / 3);
  REQUIRE(Gunzip(gzip.body, streamed.body.size()) == streamed.body);
  REQUIRE(streamed.body.ends_with("]]}]}}"));
}

TEST_CASE("limits end a query with the API's errors", "[api]") {
  ApiStand small({.engine = {.max_samples = 50}});
  small.AppendUp();
  const auto many = small.Get("/api/v1/query?query=up[10m]");
  REQUIRE(many.status == 422);
  REQUIRE(many.body ==
          Failure("execution",
                  "query processing would load too many samples into memory in query execution"));
  ApiStand stand;
  stand.AppendUp();
  const auto late = stand.Get("/api/v1/query?query=up&timeout=0");
  REQUIRE(late.status == 503);
  REQUIRE(late.body.find(R"("errorType":"timeout")") != std::string::npos);
}

TEST_CASE("a query of a client that has gone is cancelled", "[api]") {
  ApiStand stand;
  stand.AppendUp();
  std::stop_source gone;
  gone.request_stop();
  http::Request request;
  request.method = "GET";
  request.path = "/api/v1/query";
  request.query = {{"query", "up"}};
  request.gone = gone.get_token();
  const auto answer = stand.Send(std::move(request));
  REQUIRE(answer.status == 499);
  REQUIRE(answer.body.find(R"("errorType":"canceled")") != std::string::npos);
}

TEST_CASE("a query that finds no place in time is turned away", "[api]") {
  api::QueryGate gate(1);
  auto first = gate.Enter(Milliseconds(0));
  REQUIRE(first);
  REQUIRE_FALSE(gate.Enter(Milliseconds(1)));
  first.reset();
  REQUIRE(gate.Enter(Milliseconds(0)));
  const ApiStand none({.max_concurrency = 0});
  const auto answer = none.Get("/api/v1/query?query=up&timeout=1ms");
  REQUIRE(answer.status == 503);
  REQUIRE(answer.body == Failure("timeout", "query timed out in query queue"));
}

TEST_CASE("hostile queries get an answer in no time", "[api]") {
  ApiStand stand;
  stand.AppendUp();
  const auto repeat = [](std::string_view text, int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += text;
    return out;
  };
  const auto status = [&](const std::string& query) {
    http::Request request;
    request.method = "POST";
    request.path = "/api/v1/query";
    request.form = {{"query", query}, {"timeout", "10s"}};
    return stand.Send(std::move(request)).status;
  };
  REQUIRE(status(repeat("(", 100'000) + "1" + repeat(")", 100'000)) == 400);
  REQUIRE(status(repeat("1+", 100'000) + "1") == 400);
  REQUIRE(status(repeat("-", 100'000) + "1") == 400);
  REQUIRE(status("sum_over_time(up[100y:1s])") == 422);
  REQUIRE(status("{__name__=~\"((a{100}){100}){100}\"}") == 400);
  REQUIRE(status("{__name__=~\"(a*)*(a*)*(a*)*b\"}") == 200);
  REQUIRE(status("{" + repeat("a!=\"x\",", 1'000'000) + "b=\"c\"}") == 400);
}
