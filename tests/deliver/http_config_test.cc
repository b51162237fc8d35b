// http_config: proxies, tokens, headers, redirects, against servers that look at what they get.

#include <catch2/catch.hpp>
#include <cstdlib>
#include <thread>

#include "tests/deliver/groups.h"
#include "tests/support/http_stub.h"
#include "tests/support/temp_dir.h"

using namespace vigia;
using namespace vigia::alerting::deliver;
using test::Group;
using test::MakeReceiver;
using test::Send;
using test::StubRequest;
using Kind = Outcome::Kind;

namespace {

std::unique_ptr<Receiver> Webhook(const std::string& url, const std::string& http) {
  return MakeReceiver("webhook_configs: [{url: '" + url + "', http_config: {" + http + "}}]");
}

// A token's server that hands out t1, t2, ...; `expires_in` in seconds.
void ServeTokens(test::HttpStub& stub, const std::string& expires_in = "3600") {
  stub.Decide("/token", [count = 0, expires_in](const StubRequest&) mutable -> test::StubAnswer {
    return {.body = R"({"access_token":"t)" + std::to_string(++count) + R"(","expires_in":)" +
                    expires_in + "}"};
  });
}

std::size_t Count(const test::HttpStub& stub, const std::string& target) {
  const auto requests = stub.requests();
  return static_cast<std::size_t>(
      std::count_if(requests.begin(), requests.end(),
                    [&](const StubRequest& request) { return request.target == target; }));
}

}  // namespace

TEST_CASE("no_proxy names what is asked directly", "[deliver]") {
  test::HttpStub proxy;
  test::HttpStub direct;
  direct.Answer("/hook", {});
  const auto receiver = Webhook(direct.Url("/hook"), "proxy_url: '" + proxy.Url("") +
                                                         "', no_proxy: 'other.example,127.0.0.1'");
  CHECK(Send(*receiver, Group(1)).kind == Kind::kDelivered);
  CHECK(proxy.requests().empty());
  CHECK(direct.requests().size() == 1);
}

TEST_CASE("a proxy of the environment is used where it is asked for", "[deliver]") {
  test::HttpStub proxy;
  proxy.Answer("http://nowhere.example/hook", {});
  ::setenv("http_proxy", proxy.Url("").c_str(), 1);
  const auto asked = Webhook("http://nowhere.example/hook", "proxy_from_environment: true");
  const auto outcome = Send(*asked, Group(1));
  // Without the key the environment says nothing.
  const auto unasked = Webhook(proxy.Url("/direct"), "");
  Send(*unasked, Group(1));
  ::unsetenv("http_proxy");
  INFO(outcome.message);
  CHECK(outcome.kind == Kind::kDelivered);
  CHECK(proxy.requests().at(0).target == "http://nowhere.example/hook");
  CHECK(proxy.requests().at(1).target == "/direct");
}

TEST_CASE("headers for the proxy stand in CONNECT alone", "[deliver]") {
  test::HttpStub proxy;
  proxy.Answer("secure.example:443", {.status = 407});
  const auto receiver =
      Webhook("https://secure.example/hook",
              "proxy_url: '" + proxy.Url("") +
                  "', proxy_connect_header: {Proxy-Token: [p1]}, http_headers: {X-Own: {values: "
                  "[o]}}");
  CHECK(Send(*receiver, Group(1)).kind == Kind::kRetry);
  const auto connect = proxy.requests().at(0);
  CHECK(connect.method == "CONNECT");
  CHECK(connect.headers.at("proxy-token") == "p1");
  CHECK_FALSE(connect.headers.contains("x-own"));
}

TEST_CASE("headers of http_config are sent, those of files as they stand", "[deliver]") {
  test::HttpStub stub;
  test::TempDir dir;
  dir.Write("header", "from file\n");
  stub.Answer("/hook", {});
  const auto receiver = Webhook(
      stub.Url("/hook"), "http_headers: {X-A: {values: [a]}, X-B: {secrets: [b]}, X-C: {files: ['" +
                             (dir.path() / "header").string() + "']}}");
  REQUIRE(Send(*receiver, Group(1)).kind == Kind::kDelivered);
  const auto headers = stub.requests().at(0).headers;
  CHECK(headers.at("x-a") == "a");
  CHECK(headers.at("x-b") == "b");
  CHECK(headers.at("x-c") == "from file");
}

TEST_CASE("redirects are followed unless they are not wanted", "[deliver]") {
  test::HttpStub stub;
  stub.Answer("/hook", {.status = 307, .headers = {{"Location", stub.Url("/there")}}});
  stub.Answer("/there", {});
  CHECK(Send(*Webhook(stub.Url("/hook"), ""), Group(1)).kind == Kind::kDelivered);
  CHECK(stub.requests().back().target == "/there");
  CHECK(stub.requests().back().method == "POST");
  CHECK(Send(*Webhook(stub.Url("/hook"), "follow_redirects: false"), Group(1)).kind ==
        Kind::kRejected);
}

TEST_CASE("oauth2 fetches a token once, and another when it is refused", "[deliver]") {
  test::HttpStub stub;
  ServeTokens(stub);
  std::string good = "Bearer t1";
  stub.Decide("/hook", [&](const StubRequest& request) -> test::StubAnswer {
    return {.status = request.headers.at("authorization") == good ? 200 : 401};
  });
  const auto receiver = Webhook(
      stub.Url("/hook"), "oauth2: {client_id: id, client_secret: s, token_url: '" +
                             stub.Url("/token") + "', scopes: [a, b], endpoint_params: {aud: x}}");
  CHECK(Send(*receiver, Group(1)).kind == Kind::kDelivered);
  CHECK(Send(*receiver, Group(1)).kind == Kind::kDelivered);
  CHECK(Count(stub, "/token") == 1);
  const auto asked = stub.requests().at(0);
  CHECK(asked.body == "grant_type=client_credentials&scope=a+b&aud=x");
  CHECK(asked.headers.at("authorization") == "Basic aWQ6cw==");
  // Revoked before its time: the same attempt fetches a new one.
  good = "Bearer t2";
  CHECK(Send(*receiver, Group(1)).kind == Kind::kDelivered);
  CHECK(Count(stub, "/token") == 2);
  // No token helps: told once more, not for ever.
  good = "none";
  CHECK(Send(*receiver, Group(1)).kind == Kind::kRejected);
  CHECK(Count(stub, "/token") == 3);
}

TEST_CASE("a token that has run out is fetched anew, and its server may fail", "[deliver]") {
  test::HttpStub stub;
  ServeTokens(stub, "0");
  stub.Answer("/hook", {});
  const auto receiver = Webhook(stub.Url("/hook"),
                                "oauth2: {client_id: id, token_url: '" + stub.Url("/token") + "'}");
  Send(*receiver, Group(1));
  Send(*receiver, Group(1));
  CHECK(Count(stub, "/token") == 2);
  stub.Answer("/token", {.status = 500, .body = "garbage"});
  CHECK(Send(*receiver, Group(1)).kind == Kind::kRetry);
}

TEST_CASE("whoever waits for a token or for keys ends when the process does", "[deliver]") {
  test::HttpStub stub;
  for (const char* const path : {"/token", "/gettoken"}) {
    stub.Answer(path, {.manner = test::StubAnswer::Manner::kHang});
  }
  std::vector<std::unique_ptr<Receiver>> receivers;
  receivers.push_back(Webhook(stub.Url("/hook"),
                              "oauth2: {client_id: id, token_url: '" + stub.Url("/token") + "'}"));
  receivers.push_back(test::MakeReceiver(
      "sns_configs: [{topic_arn: 'arn:aws:sns:eu-west-1:1:t', sigv4: {region: eu-west-1, "
      "access_key: a, secret_key: s, role_arn: r, sts_url: '" +
      stub.Url("/token") + "'}}]"));
  receivers.push_back(test::MakeReceiver("wechat_configs: [{api_secret: s, corp_id: c, api_url: '" +
                                         stub.Url("/") + "'}]"));
  for (const auto& receiver : receivers) {
    const auto asked = stub.requests().size();
    Outcome outcome;
    std::thread attempt(
        [&] { outcome = receiver->Deliver(Group(1), Deadline::After(SystemClock(), 60s)); });
    for (int i = 0; i < 1000 && stub.requests().size() == asked; ++i) {
      std::this_thread::sleep_for(10ms);
    }
    const auto begin = SystemClock().Now();
    receiver->Interrupt();
    attempt.join();
    CHECK(SystemClock().Now() - begin < 10s);
    CHECK(stub.requests().size() == asked + 1);
    CHECK(outcome.kind == Kind::kRetry);
  }
}

TEST_CASE("a certificate that is being replaced is waited for", "[deliver]") {
  test::HttpStub stub;
  const auto secure = "https" + stub.Url("/hook").substr(4);
  for (const char* const tls : {"ca_file: /nonexistent/ca.pem",
                                "cert_file: /nonexistent/c.pem, key_file: /nonexistent/k"}) {
    const auto outcome = Send(*Webhook(secure, std::string("tls_config: {") + tls + "}"), Group(1));
    INFO(outcome.message);
    CHECK(outcome.kind == Kind::kRetry);
    CHECK(outcome.message.find("/nonexistent/") != std::string::npos);
  }
}

TEST_CASE("oauth2 has a proxy of its own", "[deliver]") {
  test::HttpStub stub;
  test::HttpStub proxy;
  proxy.Answer("http://tokens.example/token", {.body = R"({"access_token":"p"})"});
  stub.Answer("/hook", {});
  const auto receiver =
      Webhook(stub.Url("/hook"),
              "oauth2: {client_id: id, token_url: 'http://tokens.example/token', proxy_url: '" +
                  proxy.Url("") + "'}");
  CHECK(Send(*receiver, Group(1)).kind == Kind::kDelivered);
  CHECK(proxy.requests().size() == 1);
  CHECK(stub.requests().at(0).headers.at("authorization") == "Bearer p");
  // What the receiver goes through is not what the token is fetched through.
  test::HttpStub tokens;
  test::HttpStub outer;
  tokens.Answer("/token", {.body = R"({"access_token":"d"})"});
  outer.Answer("http://nowhere.example/hook", {});
  const auto other =
      Webhook("http://nowhere.example/hook", "proxy_url: '" + outer.Url("") +
                                                 "', oauth2: {client_id: id, token_url: '" +
                                                 tokens.Url("/token") + "'}");
  CHECK(Send(*other, Group(1)).kind == Kind::kDelivered);
  CHECK(tokens.requests().size() == 1);
  CHECK(outer.requests().size() == 1);
}
