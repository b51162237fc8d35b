// HTTP probes whose targets want an access token.

#include <atomic>
#include <catch2/catch.hpp>

#include "core/clock.h"
#include "tests/probe/subject.h"
#include "tests/support/http_client.h"
#include "tests/support/http_stub.h"

namespace vigia::test {
namespace {

// A server of pages for those who have its token, and of tokens.
class Guarded {
 public:
  Guarded() {
    stub_.Decide("/", [this](const StubRequest& request) -> StubAnswer {
      const auto header = request.headers.find("authorization");
      const bool right =
          header != request.headers.end() && header->second == "Bearer t" + std::to_string(valid);
      return {.status = right ? 200 : 401, .body = right ? "welcome" : "who are you?"};
    });
    stub_.Decide("/token", [this](const StubRequest&) -> StubAnswer {
      ++asked;
      return {.body = R"({"access_token":"t)" + std::to_string(valid) + "\"}"};
    });
  }

  std::string Target(const std::string& more = "") const {
    return "{ name: x, http: \"" + stub_.Url("/") + "\", oauth2: { client_id: me, token_url: \"" +
           stub_.Url("/token") + "\" } " + more + "}";
  }
  HttpStub& stub() { return stub_; }

  std::atomic<int> valid = 1;
  std::atomic<int> asked = 0;

 private:
  HttpStub stub_;
};

bool HasReason(const std::string& page, const std::string& reason) {
  return page.find("reason=\"" + reason + "\"") != std::string::npos;
}

}  // namespace

TEST_CASE("a probe fetches a token once, and another when it is refused", "[probe]") {
  Guarded guarded;
  ProbeSubject subject("targets: [ " +
                       guarded.Target(", fail_if_body_not_matches_regexp: [ ^welcome$ ]") + " ]");
  auto page = subject.Run();
  INFO(page);
  REQUIRE(HasLine(page, "probe_success 1"));
  REQUIRE(HasLine(page, "probe_http_status_code 200"));
  REQUIRE(HasLine(page, "probe_http_uncompressed_body_length 7"));
  subject.Run();
  REQUIRE(guarded.asked == 1);
  guarded.valid = 2;
  REQUIRE(HasLine(subject.Run(), "probe_success 1"));
  REQUIRE(guarded.asked == 2);
  REQUIRE(HasLine(subject.Run(), "probe_success 1"));
  REQUIRE(guarded.asked == 2);
}

TEST_CASE("a token that is refused at once is a status like any other", "[probe]") {
  Guarded guarded;
  guarded.stub().Answer("/token", {.body = R"({"access_token":"useless"})"});
  const auto page = ProbeTarget(guarded.Target());
  INFO(page);
  REQUIRE(HasLine(page, "probe_http_status_code 401"));
  REQUIRE(HasReason(page, "status"));
  REQUIRE(guarded.stub().requests().size() == 2);
}

TEST_CASE("without a token nothing is asked, and the reason says so", "[probe]") {
  Guarded guarded;
  guarded.stub().Answer("/token", {.status = 400, .body = R"({"error":"invalid_client"})"});
  auto page = ProbeTarget(guarded.Target());
  INFO(page);
  REQUIRE(HasLine(page, "probe_success 0"));
  REQUIRE(HasReason(page, "token"));
  REQUIRE(page.find("probe_http_status_code") == std::string::npos);
  for (const auto& request : guarded.stub().requests()) REQUIRE(request.target == "/token");
  page = ProbeTarget("{ name: x, http: \"" + guarded.stub().Url("/") +
                     "\", oauth2: { client_id: me, token_url: \"http://127.0.0.1:" +
                     std::to_string(FreePort()) + "/\" } }");
  REQUIRE(HasReason(page, "token"));
  page = ProbeTarget("{ name: x, http: \"" + guarded.stub().Url("/") +
                     "\", oauth2: { client_id: me, client_secret_file: /nowhere, token_url: \"" +
                     guarded.stub().Url("/token") + "\" } }");
  REQUIRE(HasLine(page, "probe_success 0"));
}

TEST_CASE("a token's server that hangs delays no other probe", "[probe]") {
  Guarded guarded;
  HttpStub other;
  other.Answer("/", {.body = "fine"});
  guarded.stub().Answer("/token", {.manner = StubAnswer::Manner::kHang});
  ProbeSubject subject("targets: [ " + guarded.Target(", timeout: 600ms") +
                       ", { name: y, http: \"" + other.Url("/") + "\" } ]");
  const auto page = subject.Run();
  INFO(page);
  REQUIRE(HasReason(page, "token"));
  REQUIRE(ValueOf(page, "probe_success{instance=\"y\"}") == 1);
  REQUIRE(ValueOf(page, "probe_duration_seconds{instance=\"y\"}") < 0.5);
  REQUIRE(ValueOf(page, "probe_duration_seconds{instance=\"x\"}") >= 0.5);
}

}  // namespace vigia::test
