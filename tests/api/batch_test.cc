// Many queries in one request.

#include <catch2/catch.hpp>

#include "exporter/api/calls.h"
#include "tests/api/stand.h"

using namespace vigia;
using namespace vigia::test;

namespace {

ApiAnswer Ask(const ApiStand& stand, std::string body, http::Headers headers = {}) {
  http::Request request;
  request.method = "POST";
  request.path = "/api/vigia/v1/queries";
  request.headers = std::move(headers);
  request.body = std::move(body);
  return stand.Send(std::move(request));
}

std::string Queries(std::size_t count, const std::string& query) {
  std::string body = R"({"queries":[)";
  for (std::size_t i = 0; i < count; ++i) body += (i == 0 ? "" : ",") + query;
  return body + "]}";
}

std::vector<std::string> LinesOf(const std::string& body) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < body.size();) {
    const auto end = body.find('\n', at);
    REQUIRE(end != body.npos);
    lines.push_back(body.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

}  // namespace

TEST_CASE("queries of a batch are answered as each would be alone, in their order", "[api]") {
  ApiStand stand;
  stand.AppendUp();
  const auto answer = Ask(stand, R"({"queries":[
      {"query":"up{job=\"a\"}","time":1700000000.5},
      {"query":"up","start":1699999970,"end":"1700000000","step":"15s","limit":1},
      {"query":"1 +"},
      {"query":"up","start":5,"end":4,"step":1},
      {"query":"1+1","time":4}]})");
  REQUIRE(answer.status == 200);
  REQUIRE(http::HeaderValue(answer.headers, "content-type") == "application/x-ndjson");
  const auto lines = LinesOf(answer.body);
  REQUIRE(lines.size() == 5);
  REQUIRE(lines[0] == stand.Get("/api/v1/query?query=up{job=%22a%22}&time=1700000000.5").body);
  REQUIRE(lines[1] ==
          stand.Get("/api/v1/query_range?query=up&start=1699999970&end=1700000000&step=15&limit=1")
              .body);
  REQUIRE(lines[1].find(R"("values":[[1699999970,"1"],[1699999985,"1"],[1700000000,"1"]])") !=
          std::string::npos);
  REQUIRE(lines[1].find("results truncated due to limit") != std::string::npos);
  REQUIRE(lines[2].rfind(R"({"status":"error","errorType":"bad_data")", 0) == 0);
  REQUIRE(lines[2].find("1:4: parse error") != std::string::npos);
  REQUIRE(lines[3].find("end timestamp must not be before start time") != std::string::npos);
  REQUIRE(lines[4] == R"({"status":"success","data":{"resultType":"scalar","result":[4,"2"]}})");
}

TEST_CASE("a batch that is none is refused, with the place of what is wrong", "[api]") {
  ApiStand stand;
  for (const auto* body : {"", "[]", "{", "{}", R"({"queries":{}})"}) {
    INFO(body);
    const auto answer = Ask(stand, body);
    REQUIRE(answer.status == 400);
    REQUIRE(answer.body.find("the body has to be") != std::string::npos);
  }
  const auto wrong = Ask(stand, R"({"queries":[{"query":"1"},{"query":"1","time":null}]})");
  REQUIRE(wrong.status == 400);
  REQUIRE(wrong.body.find(
              R"(invalid parameter \"queries[1]\": \"time\" is neither text nor a number)") !=
          std::string::npos);
  REQUIRE(Ask(stand, R"({"queries":["up"]})").body.find("not an object") != std::string::npos);
  REQUIRE(Ask(stand, Queries(101, R"({"query":"1"})"))
              .body.find("101 queries; at most 100 are answered at once") != std::string::npos);
  REQUIRE(LinesOf(Ask(stand, Queries(100, R"({"query":"1"})")).body).size() == 100);
}

TEST_CASE("a small batch is compressed, a large one comes in pieces and is as whole", "[api]") {
  ApiStand stand;
  for (int i = 0; i < 60; ++i) {
    for (Timestamp time = ApiStand::kNow - 600'000; time <= ApiStand::kNow; time += 15'000) {
      stand.Append({{"__name__", "wide"}, {"number", std::to_string(i)}}, time, 1);
    }
  }
  const http::Headers gzip{{"accept-encoding", "gzip"}};
  const std::string range = R"({"query":"wide","start":1699999400,"end":1700000000,"step":5})";
  const auto small = Ask(stand, Queries(1, range), gzip);
  REQUIRE(http::HeaderValue(small.headers, "content-encoding") == "gzip");

  const auto alone =
      stand.Get("/api/v1/query_range?query=wide&start=1699999400&end=1700000000&step=5").body;
  REQUIRE(alone.size() > 100'000);
  for (const auto& headers : {http::Headers{}, gzip}) {
    const auto large = Ask(stand, Queries(20, range), headers);
    REQUIRE(http::HeaderValue(large.headers, "content-encoding").empty());
    REQUIRE(http::HeaderValue(large.headers, "content-type") == "application/x-ndjson");
    const auto lines = LinesOf(large.body);
    REQUIRE(lines.size() == 20);
    for (const auto& line : lines) REQUIRE(line == alone);
  }
}

TEST_CASE("a batch that nests without end takes no memory, one that is too large is refused",
          "[api]") {
  ApiStand stand;
  for (const auto& body :
       {std::string(200'000, '['), R"({"queries":[{"query":)" + std::string(100'000, '[')}) {
    REQUIRE(Ask(stand, body).status == 400);
  }
  const auto deep = Ask(stand, R"({"queries":[{"query":[[[[[1]]]]]}]})");
  REQUIRE(deep.body.find("is neither text nor a number") != std::string::npos);
}

namespace {

// A batch of queries that each take 60 ms on a clock of their own.
struct SlowBatch {
  SlowBatch() {
    const auto answer = [this](const http::Request&) {
      clock.Advance(std::chrono::milliseconds(60));
      return http::Response::Json(200, std::to_string(++asked));
    };
    api::AddBatchCall(router, clock, answer, answer);
  }

  http::Response Ask(std::size_t queries) {
    http::Request request;
    request.method = "POST";
    request.path = "/api/vigia/v1/queries";
    request.body = Queries(queries, R"({"query":"1"})");
    std::string allowed;
    return router.Find(request, allowed)->handler(request);
  }

  ManualClock clock;
  http::Router router;
  int asked = 0;
};

}  // namespace

TEST_CASE("what a batch has after 100 ms is sent, and each later line when it is there", "[api]") {
  SlowBatch batch;
  const auto whole = batch.Ask(2);
  REQUIRE_FALSE(whole.stream);
  REQUIRE(whole.body == "1\n2\n");

  const auto response = batch.Ask(4);
  REQUIRE(batch.asked == 4);
  REQUIRE(response.stream);
  std::vector<std::string> packets(1);
  REQUIRE(response.stream([&](std::string_view piece) {
    if (piece.empty() && !packets.back().empty()) packets.emplace_back();
    packets.back() += piece;
    return true;
  }));
  REQUIRE(packets == std::vector<std::string>{"3\n4\n", "5\n", "6\n", ""});
}

TEST_CASE("a batch asks nothing more once its client has gone", "[api]") {
  SlowBatch batch;
  const auto response = batch.Ask(50);
  bool gone = false;
  REQUIRE(response.stream([&](std::string_view piece) {
    gone = gone || piece == "4";
    return !gone;
  }));
  REQUIRE(batch.asked == 4);
}

TEST_CASE("queries of a batch are canceled when its client hangs up", "[api]") {
  ApiStand stand;
  stand.AppendUp();
  std::stop_source client;
  http::Request request;
  request.method = "POST";
  request.path = "/api/vigia/v1/queries";
  request.gone = client.get_token();
  request.body = Queries(3, R"({"query":"up","start":1699999400,"end":1700000000,"step":1})");
  client.request_stop();
  const auto lines = LinesOf(stand.Send(std::move(request)).body);
  REQUIRE(lines.size() == 3);
  for (const auto& line : lines) {
    REQUIRE(line.find(R"("errorType":"canceled")") != std::string::npos);
  }
}
