// How the scrape kind asks: with the keys of Prometheus' HTTP client.

#include <catch2/catch.hpp>

#include "tests/scrape/subject.h"
#include "tests/support/http_stub.h"

namespace vigia::test {
namespace {

std::string Options(const HttpStub& stub, const std::string& more) {
  return "url: " + stub.Url() + "\nname: app\nlabels: { instance: x }\n" + more;
}

}  // namespace

TEST_CASE("scrape fetches an access token, and another when it is refused", "[scrape]") {
  HttpStub stub;
  int tokens = 0;
  stub.Decide("/token", [&](const StubRequest&) -> StubAnswer {
    return {.body = R"({"access_token":"t)" + std::to_string(++tokens) + "\"}"};
  });
  std::string valid = "Bearer t1";
  stub.Decide("/metrics", [&](const StubRequest& request) -> StubAnswer {
    if (request.headers.at("authorization") != valid) return {.status = 401};
    return {.body = "a 1\n"};
  });
  ScrapeSubject subject(
      Options(stub, "oauth2: { client_id: me, token_url: \"" + stub.Url("/token") + "\" }\n"));
  const std::string page = "a{instance=\"x\",job=\"app\"} 1\n";
  REQUIRE(subject.RunSeries() == page);
  REQUIRE(subject.RunSeries() == page);
  REQUIRE(tokens == 1);
  valid = "Bearer t2";
  REQUIRE(subject.RunSeries() == page);
  REQUIRE(tokens == 2);
  valid = "nobody";
  REQUIRE(subject.Run().find("status 401") != std::string::npos);
  REQUIRE(tokens == 3);
}

TEST_CASE("scrape goes through a proxy, with headers, uncompressed if it has to", "[scrape]") {
  HttpStub stub;
  HttpStub proxy;
  proxy.Answer(stub.Url(), {.body = "a 1\n"});
  ScrapeSubject subject(Options(stub, "proxy_url: \"" + proxy.Url("") +
                                          "\"\nhttp_headers: { X-Team: { values: [ blue ] } }\n"
                                          "enable_compression: false\nenable_http2: false\n"));
  REQUIRE(subject.RunSeries() == "a{instance=\"x\",job=\"app\"} 1\n");
  REQUIRE(stub.requests().empty());
  const auto request = proxy.requests().at(0);
  REQUIRE(request.headers.at("x-team") == "blue");
  REQUIRE(request.headers.at("accept-encoding") == "identity");
}

TEST_CASE("scrape reads a page of no known type as it is told", "[scrape]") {
  HttpStub stub;
  stub.Answer("/metrics", {.headers = {{"Content-Type", "application/octet-stream"}},
                           .body = "# TYPE a counter\na_total 3 # {t=\"1\"} 1\n# EOF\n"});
  ScrapeSubject subject(Options(stub, "fallback_scrape_protocol: OpenMetricsText1.0.0\n"));
  REQUIRE(subject.RunSeries() == "a_total{instance=\"x\",job=\"app\"} 3\n");
  ScrapeSubject plain(Options(stub, ""));
  REQUIRE(plain.Run().starts_with("error: "));
}

TEST_CASE("a body_size_limit of 0 is that of vigia itself", "[scrape]") {
  HttpStub stub;
  stub.Answer("/metrics", {.body = "a 1\n"});
  ScrapeSubject subject(Options(stub, "body_size_limit: 0\n"));
  REQUIRE(subject.RunSeries() == "a{instance=\"x\",job=\"app\"} 1\n");
}

}  // namespace vigia::test
