// What a Prometheus remembers, read piece by piece.

#include "exporter/baselines/datasource.h"

#include <catch2/catch.hpp>

#include "core/number.h"
#include "query/promql/syntax/parser.h"
#include "tests/support/http_stub.h"

using namespace vigia;
using namespace vigia::exporter;

namespace {

std::string Narrow(const std::string& expression) {
  return Narrowed(expression, *promql::ParseSelector(R"({instance="a:1",job=~"x|y"})"));
}

// A number of a request's query.
double Asked(const test::StubRequest& request, const std::string& name) {
  const auto at = request.target.find(name + "=");
  REQUIRE(at != std::string::npos);
  const auto begin = at + name.size() + 1;
  return *ParseDouble(request.target.substr(begin, request.target.find('&', begin) - begin));
}

// Answers each step of a request with the time as the value, for so many series.
test::StubAnswer Answered(const test::StubRequest& request, int series) {
  std::string values;
  for (double time = Asked(request, "start"); time <= Asked(request, "end");
       time += Asked(request, "step")) {
    const auto text = FormatDouble(time);
    values += (values.empty() ? "[" : ",[") + text + ",\"" + text + "\"]";
  }
  std::string result;
  for (int i = 0; i < series; ++i) {
    result += std::string(i > 0 ? "," : "") +
              R"({"metric":{"__name__":"x","instance":"a:1","path":"/)" + std::to_string(i) +
              R"("},"values":[)" + values + "]}";
  }
  return {.body =
              R"({"status":"success","data":{"resultType":"matrix","result":[)" + result + "]}}"};
}

DatasourceConfig ConfigOf(const test::HttpStub& stub) {
  DatasourceConfig config;
  config.url = stub.Url("/prometheus");
  return config;
}

constexpr const char* kPath = "/prometheus/api/v1/query_range";

struct Got {
  Status status;
  std::map<std::string, std::vector<Timestamp>> times;
  std::size_t left_out = 0;
};

Got Read(const DatasourceConfig& config, Datasource::Range range) {
  Datasource datasource(config);
  Got got;
  got.status = datasource.Read("x", range,
                               [&](const Labels& labels, Timestamp time, double value) {
                                 CHECK(value * 1000 == static_cast<double>(time));
                                 got.times[labels.ToString()].push_back(time);
                               },
                               {});
  got.left_out = datasource.left_out();
  return got;
}

}  // namespace

TEST_CASE("matchers are added to every selector of an expression", "[baselines]") {
  CHECK(Narrow("node_load5") == R"(node_load5{instance="a:1",job=~"x|y"})");
  CHECK(Narrow("node_load5 offset 5m") == R"(node_load5{instance="a:1",job=~"x|y"} offset 5m)");
  CHECK(Narrow(R"({__name__=~"kpi_.+"})") == R"({instance="a:1",job=~"x|y",__name__=~"kpi_.+"})");
  CHECK(Narrow(R"(sum by (a) (rate(b:c {d="}{"}[5m])) / on (a) e)") ==
        R"(sum by (a) (rate(b:c {instance="a:1",job=~"x|y",d="}{"}[5m])) / on (a) )"
        R"(e{instance="a:1",job=~"x|y"})");
  CHECK(Narrow("x{}") == R"(x{instance="a:1",job=~"x|y",})");
  for (const auto* text : {"node_load5", "x{}", R"({__name__=~"kpi_.+"})", "a offset 5m + b @ 7",
                           "max_over_time(rate(a[5m])[1h:])"}) {
    CHECK(promql::Parse(Narrow(text)));
  }
  CHECK(Narrow("not ( promql") == "not ( promql");
}

TEST_CASE("a long past is read once, in order, in pieces of a bounded size", "[baselines]") {
  test::HttpStub stub;
  std::size_t most = 0;
  std::size_t requests = 0;
  stub.Decide(kPath, [&](const test::StubRequest& request) {
    ++requests;
    const auto steps = (Asked(request, "end") - Asked(request, "start")) / Asked(request, "step");
    most = std::max(most, static_cast<std::size_t>(steps) + 1);
    return Answered(request, 1);
  });
  constexpr Timestamp kStep = 30'000;
  constexpr Timestamp kFrom = 1'700'000'010'000;
  const auto got = Read(ConfigOf(stub), {kFrom, kFrom + 39'999 * kStep, kStep});
  REQUIRE(got.status);
  const auto& times = got.times.at(R"({path="/0"})");
  REQUIRE(times.size() == 40'000);
  for (std::size_t i = 0; i < times.size(); ++i) {
    REQUIRE(times[i] == kFrom + static_cast<Timestamp>(i) * kStep);
  }
  CHECK(most == 11'000);
  CHECK(requests < 10);
}

TEST_CASE("the more series there are, the shorter are the pieces", "[baselines]") {
  test::HttpStub stub;
  std::size_t most = 0;
  stub.Decide(kPath, [&](const test::StubRequest& request) {
    auto answer = Answered(request, 400);
    most = std::max(most, answer.body.size());
    return answer;
  });
  const auto got = Read(ConfigOf(stub), {0, 2000 * 60'000, 60'000});
  REQUIRE(got.status);
  CHECK(got.times.size() == 400);
  CHECK(got.times.begin()->second.size() == 2001);
  CHECK(most < 4'000'000);
}

TEST_CASE("a server that finds a piece too large is asked for a smaller one", "[baselines]") {
  test::HttpStub stub;
  stub.Decide(kPath, [&](const test::StubRequest& request) -> test::StubAnswer {
    const auto steps = (Asked(request, "end") - Asked(request, "start")) / Asked(request, "step");
    if (steps < 60) return Answered(request, 1);
    return {.status = 422,
            .body = R"({"status":"error","errorType":"execution","error":"query processing would )"
                    R"(load too many samples into memory in query execution"})"};
  });
  const auto got = Read(ConfigOf(stub), {0, 1000 * 60'000, 60'000});
  REQUIRE(got.status);
  CHECK(got.times.at(R"({path="/0"})").size() == 1001);
}

TEST_CASE("series that labels told apart which are dropped are not mixed", "[baselines]") {
  test::HttpStub stub;
  stub.Answer(kPath,
              {.body = R"({"status":"success","data":{"result":[)"
                       R"({"metric":{"path":"/a","instance":"a"},"values":[[60,"60"]]},)"
                       R"({"metric":{"path":"/a","instance":"b"},"values":[[60,"60"]]},)"
                       R"({"metric":{"path":"/b","instance":"b"},"values":[[60,"60"]]}]}})"});
  const auto got = Read(ConfigOf(stub), {0, 60'000, 60'000});
  CHECK(got.times.size() == 2);
  CHECK(got.times.at(R"({path="/a"})").size() == 1);
  CHECK(got.left_out == 1);
  auto config = ConfigOf(stub);
  config.drop_labels.clear();
  CHECK(Read(config, {0, 60'000, 60'000}).times.size() == 3);
}

TEST_CASE("what a server says instead of an answer is told", "[baselines]") {
  test::HttpStub stub;
  const auto error = [&](test::StubAnswer answer) {
    stub.Answer(kPath, std::move(answer));
    const auto got = Read(ConfigOf(stub), {0, 60'000, 60'000});
    return got.status ? Error(ErrorCode::kInternal, "none") : got.status.error();
  };
  CHECK(error({.status = 400, .body = R"({"status":"error","error":"parse error"})"}) ==
        Error(ErrorCode::kInvalid, "answers 400: parse error"));
  CHECK(error({.status = 503, .body = "starting"}) ==
        Error(ErrorCode::kUnavailable, "answers 503"));
  CHECK(error({.body = "<html>"}) == Error(ErrorCode::kUnavailable, "answers 200"));
  CHECK(error({.body = R"({"status":"success"})"}) ==
        Error(ErrorCode::kUnavailable, "its answer is not that of query_range"));
  stub.Stop();
  CHECK(Read(ConfigOf(stub), {0, 60'000, 60'000}).status.error().code() == ErrorCode::kUnavailable);
}
