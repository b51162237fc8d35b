// Access tokens by client credentials: how servers are asked, and how long an answer holds.

#include "core/oauth2.h"

#include <catch2/catch.hpp>

#include "core/base64.h"
#include "core/config/http_options.h"
#include "core/config/yaml.h"
#include "tests/support/http_stub.h"

namespace vigia::test {
namespace {

OAuth2 Options(const HttpStub& stub) {
  return {.client_id = "me:too",
          .client_secret = Secret::FromValue("s&cret"),
          .token_url = stub.Url("/token"),
          .scopes = {"a", "b"},
          .endpoint_params = {{"audience", "https://x/"}}};
}

StubAnswer Token(const std::string& text, const std::string& more = "") {
  return {.body = R"({"access_token":")" + text + "\"" + more + "}"};
}

std::string Faults(const std::string& yaml) {
  config::Diagnostics diagnostics("vigia.yml");
  const auto node = config::ParseYaml(yaml, {}, diagnostics);
  config::MapReader reader(node, diagnostics, "x");
  OAuth2 oauth2;
  HttpAuth auth;
  config::ReadAuth(reader, auth);
  config::ReadOAuth2(reader, oauth2);
  reader.Finish();
  return diagnostics.ToString();
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a token is asked for in the header, with what is special encoded", "[core]") {
  HttpStub stub;
  stub.Answer("/token", Token("t"));
  TokenSource source(Options(stub), SystemClock());
  REQUIRE(source.Get(Deadline::After(SystemClock(), 10s)).value() == "t");
  const auto request = stub.requests().at(0);
  REQUIRE(request.method == "POST");
  REQUIRE(request.headers.at("authorization") == "Basic " + EncodeBase64("me%3Atoo:s%26cret"));
  REQUIRE(request.headers.at("content-type") == "application/x-www-form-urlencoded");
  REQUIRE(request.body == "grant_type=client_credentials&scope=a+b&audience=https%3A%2F%2Fx%2F");
}

TEST_CASE("a server that does not read the header is asked by the form, from then on at once",
          "[core]") {
  HttpStub stub;
  stub.Decide("/token", [](const StubRequest& request) -> StubAnswer {
    if (!Has(request.body, "client_id=me%3Atoo&client_secret=s%26cret")) {
      return {.status = 401, .body = R"({"error":"invalid_client"})"};
    }
    return Token("t", ",\"expires_in\":20");
  });
  ManualClock clock;
  TokenSource source(Options(stub), clock);
  const auto get = [&] { return source.Get(Deadline::After(clock, 10s)).value(); };
  REQUIRE(get() == "t");
  REQUIRE(stub.requests().size() == 2);
  REQUIRE(stub.requests().at(1).headers.count("authorization") == 0);
  clock.Advance(17s);
  REQUIRE(get() == "t");
  REQUIRE(stub.requests().size() == 2);
  // A tenth of its time before its end, at most ten seconds.
  clock.Advance(1s);
  REQUIRE(get() == "t");
  REQUIRE(stub.requests().size() == 3);
}

TEST_CASE("a token without a lifetime holds until it is refused", "[core]") {
  HttpStub stub;
  stub.Answer("/token", Token("t"));
  ManualClock clock;
  TokenSource source(Options(stub), clock);
  const auto get = [&] { return source.Get(Deadline::After(clock, 10s)).value(); };
  get();
  clock.Advance(24h * 365);
  get();
  REQUIRE(stub.requests().size() == 1);
  source.Forget();
  get();
  REQUIRE(stub.requests().size() == 2);
}

TEST_CASE("why there is no token is said in the server's words", "[core]") {
  HttpStub stub;
  stub.Answer("/token", {.status = 400,
                         .body = R"({"error":"invalid_scope","error_description":"no b here"})"});
  TokenSource source(Options(stub), SystemClock());
  auto token = source.Get(Deadline::After(SystemClock(), 10s));
  REQUIRE(token.error().message() == "oauth2: no token, HTTP status 400: invalid_scope: no b here");
  REQUIRE(stub.requests().size() == 2);
  // A server that is broken is not asked in another way.
  stub.Answer("/token", {.status = 503, .body = "<html>"});
  token = source.Get(Deadline::After(SystemClock(), 10s));
  REQUIRE(token.error().message() == "oauth2: no token, HTTP status 503");
  REQUIRE(stub.requests().size() == 3);
  stub.Answer("/token", {.body = R"({"access_token":7})"});
  REQUIRE_FALSE(source.Get(Deadline::After(SystemClock(), 10s)));
  REQUIRE_FALSE(ReadTokenAnswer(200, ""));
  REQUIRE(ReadTokenAnswer(200, R"({"access_token":"t","expires_in":"60"})")->lifetime == 60s);
  REQUIRE(ReadTokenAnswer(200, R"({"access_token":"t","expires_in":1e300})")->lifetime > 24h);
  REQUIRE_FALSE(ReadTokenAnswer(200, R"({"access_token":"t","expires_in":"nan"})")->lifetime);
}

TEST_CASE("keys of oauth2 are checked with their place", "[core][config]") {
  const std::string good = "client_id: a, token_url: \"http://x/\"";
  REQUIRE(Faults("oauth2: { " + good +
                 ", client_secret_file: /s, scopes: [a], grant_type: "
                 "client_credentials, proxy_url: \"http://p/\", tls_config: { ca_file: /c } }") ==
          "");
  REQUIRE(Has(Faults("oauth2: { token_url: x }"), "client_id"));
  REQUIRE(Has(Faults("oauth2: { client_id: x }"), "token_url"));
  REQUIRE(Has(Faults("oauth2: { client_id: x, token_url: \"ftp://x\" }"), "http or https"));
  REQUIRE(Has(Faults("oauth2: { " + good + ", client_secret: plain }"), "client_secret_file"));
  REQUIRE(Has(Faults("oauth2: { " + good + ", client_secret_ref: x }"), "secret manager"));
  REQUIRE(Has(Faults("oauth2: { " + good + ", grant_type: x }"), "only client_credentials"));
  REQUIRE(Has(Faults("oauth2: { " + good + ", scope: x }"), "unknown key 'scope'"));
  REQUIRE(Has(Faults("basic_auth: { username: x }\noauth2: { " + good + " }"),
              "stands beside basic_auth: keep one"));
  REQUIRE(Has(Faults("bearer_token_file: /x\nauthorization: { credentials_file: /y }"),
              "stands beside authorization: keep one"));
  REQUIRE(Has(Faults("basic_auth: { username_ref: x }"), "secret manager"));
}

}  // namespace vigia::test
