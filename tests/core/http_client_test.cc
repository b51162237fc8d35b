// The HTTP client against a server that misbehaves in every way it can.

#include "core/http_client.h"

#include <dirent.h>

#include <catch2/catch.hpp>

#include "tests/support/http_client.h"
#include "tests/support/http_stub.h"
#include "tests/support/process.h"

using namespace vigia;
using namespace vigia::test;

namespace {

using Manner = StubAnswer::Manner;

Deadline In(Duration time) { return Deadline::After(SystemClock(), time); }

ErrorCode CodeOf(const Result<HttpResponse>& answer) {
  REQUIRE_FALSE(answer.has_value());
  return answer.error().code();
}

int OpenFiles() {
  int count = 0;
  DIR* const folder = ::opendir("/proc/self/fd");
  while (::readdir(folder)) ++count;
  ::closedir(folder);
  return count;
}

// A self-signed certificate for localhost and 127.0.0.1, and openssl serving files with it.
class TlsServer {
 public:
  TlsServer() : port_(FreePort()) {
    const auto made =
        RunProgram({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key(),
                    "-out", cert(), "-days", "2", "-subj", "/CN=stub.example", "-addext",
                    "subjectAltName=DNS:stub.example"});
    REQUIRE(made.exit_code == 0);
    dir_.Write("metrics", "a 1\n");
    server_ = std::make_unique<Process>(std::vector<std::string>{
        "sh", "-c",
        "cd '" + dir_.path().string() + "' && exec openssl s_server -accept " +
            std::to_string(port_) + " -cert cert.pem -key key.pem -WWW"});
    REQUIRE(server_->AwaitOutput("ACCEPT"));
  }

  std::string key() const { return (dir_.path() / "key.pem").string(); }
  std::string cert() const { return (dir_.path() / "cert.pem").string(); }
  std::string url() const { return "https://127.0.0.1:" + std::to_string(port_) + "/metrics"; }

 private:
  const TempDir dir_;
  const int port_;
  std::unique_ptr<Process> server_;
};

}  // namespace

TEST_CASE("http client gets a page with its headers and timings", "[http_client]") {
  HttpStub stub;
  stub.Answer("/metrics",
              {.headers = {{"Content-Type", "text/plain"}, {"X-Empty", ""}}, .body = "a 1\n"});
  HttpClient client;
  const auto answer = client.Send(
      {.url = stub.Url("/metrics?x=1"), .headers = {{"X-Token", "t"}, {"X-Nothing", ""}}}, In(30s));
  REQUIRE(answer);
  REQUIRE(answer->status == 200);
  REQUIRE(answer->body == "a 1\n");
  REQUIRE_FALSE(answer->truncated);
  REQUIRE(answer->url == stub.Url("/metrics?x=1"));
  REQUIRE(answer->Header("content-type") == "text/plain");
  REQUIRE(answer->Header("x-missing") == "");
  const auto& times = answer->timings;
  REQUIRE(times.total.count() > 0);
  REQUIRE(times.resolve + times.connect + times.tls + times.processing + times.transfer <=
          times.total);
  REQUIRE(times.tls.count() == 0);

  const auto request = stub.requests().at(0);
  REQUIRE(request.method == "GET");
  REQUIRE(request.target == "/metrics?x=1");
  REQUIRE(request.headers.at("x-token") == "t");
  REQUIRE(request.headers.at("x-nothing") == "");
  REQUIRE(request.headers.at("user-agent") == "vigia");
  REQUIRE(request.headers.at("accept-encoding") == "gzip");
}

TEST_CASE("http client sends bodies and other methods", "[http_client]") {
  HttpStub stub;
  stub.Answer("/", {.status = 204});
  HttpClient client;
  REQUIRE(client.Send({.method = "POST", .url = stub.Url("/"), .body = "one"}, In(30s))->status ==
          204);
  REQUIRE(client.Send({.method = "PUT", .url = stub.Url("/"), .body = "two"}, In(30s))->status ==
          204);
  REQUIRE(client.Send({.method = "POST", .url = stub.Url("/")}, In(30s))->status == 204);
  REQUIRE(client.Send({.method = "DELETE", .url = stub.Url("/")}, In(30s))->status == 204);
  REQUIRE(client.Send({.method = "HEAD", .url = stub.Url("/")}, In(30s))->status == 204);
  REQUIRE(client.Get(stub.Url("/"), In(30s))->status == 204);
  const auto requests = stub.requests();
  std::string seen;
  for (const auto& request : requests) seen += request.method + "(" + request.body + ") ";
  REQUIRE(seen == "POST(one) PUT(two) POST() DELETE() HEAD() GET() ");
}

TEST_CASE("http client keeps its connection and survives its loss", "[http_client]") {
  HttpStub stub;
  stub.Answer("/metrics", {.body = "a 1\n"});
  HttpClient client;
  for (int i = 0; i < 5; ++i) REQUIRE(client.Get(stub.Url(), In(30s)));
  REQUIRE(stub.connections() == 1);
  stub.Stop();
  REQUIRE(CodeOf(client.Get(stub.Url(), In(30s))) == ErrorCode::kUnavailable);
  stub.Start();
  REQUIRE(client.Get(stub.Url(), In(30s)));
  REQUIRE(stub.connections() == 2);
}

TEST_CASE("http client decompresses and bounds what comes out", "[http_client]") {
  HttpStub stub;
  stub.Answer("/metrics", {.body = std::string(1'000'000, 'x'), .gzip = true});
  HttpClient client;
  REQUIRE(client.Get(stub.Url(), In(30s))->body == std::string(1'000'000, 'x'));
  HttpClient bounded({.max_body_bytes = 5000});
  const auto cut = bounded.Get(stub.Url(), In(30s));
  REQUIRE(cut->truncated);
  REQUIRE(cut->body == std::string(5000, 'x'));

  stub.Answer("/metrics", {.headers = {{"Content-Encoding", "gzip"}}, .body = "not gzip at all"});
  REQUIRE(CodeOf(client.Get(stub.Url(), In(30s))) == ErrorCode::kCorrupt);
}

TEST_CASE("http client stops an endless body at its limit", "[http_client]") {
  HttpStub stub;
  stub.Answer("/metrics", {.body = "a 1\n", .manner = Manner::kEndlessBody});
  HttpClient client({.max_body_bytes = 100'000});
  const auto answer = client.Get(stub.Url(), In(60s));
  REQUIRE(answer->truncated);
  REQUIRE(answer->body.size() == 100'000);
}

TEST_CASE("http client tells a body that fits its limit exactly", "[http_client]") {
  HttpStub stub;
  stub.Answer("/metrics", {.body = "abcd"});
  HttpClient exact({.max_body_bytes = 4});
  REQUIRE_FALSE(exact.Get(stub.Url(), In(30s))->truncated);
  HttpClient short_of({.max_body_bytes = 3});
  REQUIRE(short_of.Get(stub.Url(), In(30s))->truncated);
}

TEST_CASE("http client never waits longer than its deadline", "[http_client]") {
  HttpStub stub;
  stub.Answer("/hang", {.manner = Manner::kHang});
  stub.Answer("/slow", {.body = std::string(100'000, 'x'), .manner = Manner::kSlowBody});
  HttpClient client;
  for (const auto* path : {"/hang", "/slow"}) {
    const auto before = SystemClock().Now();
    REQUIRE(CodeOf(client.Get(stub.Url(path), In(200ms))) == ErrorCode::kTimeout);
    const auto took = SystemClock().Now() - before;
    REQUIRE(took >= 200ms);
    REQUIRE(took < 20s);
  }
  REQUIRE(CodeOf(client.Get(stub.Url("/hang"), In(0s))) == ErrorCode::kTimeout);
}

TEST_CASE("http client follows redirects within http alone and not for ever", "[http_client]") {
  HttpStub stub;
  stub.Answer("/metrics", {.body = "a 1\n"});
  stub.Answer("/moved", {.status = 302, .headers = {{"Location", "/metrics"}}});
  stub.Answer("/loop", {.status = 302, .headers = {{"Location", "/loop"}}});
  stub.Answer("/file", {.status = 302, .headers = {{"Location", "file:///etc/passwd"}}});
  HttpClient client;
  const auto moved = client.Get(stub.Url("/moved"), In(30s));
  REQUIRE(moved->body == "a 1\n");
  REQUIRE(moved->url == stub.Url("/metrics"));
  REQUIRE(CodeOf(client.Get(stub.Url("/loop"), In(30s))) == ErrorCode::kUnavailable);
  REQUIRE(stub.requests().size() == 2 + 11);
  REQUIRE_FALSE(client.Get(stub.Url("/file"), In(30s)));
  HttpClient staying({.follow_redirects = false});
  REQUIRE(staying.Get(stub.Url("/loop"), In(30s))->status == 302);
}

TEST_CASE("http client authenticates to the host it was told and to no other", "[http_client]") {
  HttpStub stub;
  HttpStub other;
  stub.Answer("/metrics", {.body = "a 1\n"});
  other.Answer("/metrics", {.body = "a 1\n"});
  stub.Answer(
      "/away",
      {.status = 302,
       .headers = {{"Location", "http://localhost:" + std::to_string(other.port()) + "/metrics"}}});
  HttpClient basic({.auth = {.username = "user", .password = Secret::FromValue("p:ss")}});
  REQUIRE(basic.Get(stub.Url(), In(30s)));
  REQUIRE(stub.requests().back().headers.at("authorization") == "Basic dXNlcjpwOnNz");

  TempDir dir;
  dir.Write("token", "abc\n");
  HttpClient bearer({.auth = {.credentials = Secret::FromFile(dir.path() / "token")}});
  REQUIRE(bearer.Get(stub.Url(), In(30s)));
  REQUIRE(stub.requests().back().headers.at("authorization") == "Bearer abc");
  dir.Write("token", "def\n");
  REQUIRE(bearer.Get(stub.Url(), In(30s)));
  REQUIRE(stub.requests().back().headers.at("authorization") == "Bearer def");

  for (auto* const client : {&basic, &bearer}) {
    REQUIRE(client->Get(stub.Url("/away"), In(30s))->status == 200);
    REQUIRE(other.requests().back().headers.count("authorization") == 0);
  }
  HttpClient missing({.auth = {.credentials = Secret::FromFile(dir.path() / "nothing")}});
  REQUIRE_FALSE(missing.Get(stub.Url(), In(30s)));
}

TEST_CASE("http client refuses what no server should be asked", "[http_client]") {
  HttpStub stub;
  HttpClient client;
  for (const std::string url : {"file:///etc/passwd", "gopher://127.0.0.1/", "http://", "",
                                "http://127.0.0.1:99999/", "http://a b/"}) {
    CAPTURE(url);
    REQUIRE(CodeOf(client.Get(url, In(30s))) == ErrorCode::kInvalid);
  }
  REQUIRE(CodeOf(client.Send({.url = stub.Url(), .headers = {{"X-A", "1\r\nX-B: 2"}}}, In(30s))) ==
          ErrorCode::kInvalid);
  REQUIRE(CodeOf(client.Send({.url = stub.Url(), .headers = {{"X A", "1"}}}, In(30s))) ==
          ErrorCode::kInvalid);
  REQUIRE(stub.requests().empty());
}

TEST_CASE("http client bounds the headers of an answer", "[http_client]") {
  HttpStub stub;
  StubAnswer answer;
  for (int i = 0; i < 40; ++i) answer.headers["X-" + std::to_string(i)] = std::string(9000, 'h');
  stub.Answer("/metrics", answer);
  HttpClient client;
  REQUIRE_FALSE(client.Get(stub.Url(), In(30s)));
}

TEST_CASE("http client leaks no descriptors over many failures", "[http_client]") {
  HttpStub stub;
  stub.Answer("/cut", {.body = "abcdefgh", .manner = Manner::kCutBody});
  stub.Answer("/close", {.body = "a 1\n", .manner = Manner::kCloseAfter});
  stub.Answer("/hang", {.manner = Manner::kHang});
  HttpClient client;
  const auto round = [&] {
    REQUIRE_FALSE(client.Get(stub.Url("/cut"), In(30s)));
    REQUIRE(client.Get(stub.Url("/close"), In(30s)));
    REQUIRE_FALSE(client.Get(stub.Url("/hang"), In(5ms)));
  };
  round();
  const int before = OpenFiles();
  for (int i = 0; i < 200; ++i) round();
  stub.Stop();
  REQUIRE(OpenFiles() <= before);
}

TEST_CASE("http client reads URLs and adds parameters to them", "[http_client]") {
  REQUIRE(ParseHttpUrl("http://app.example/metrics")->port == 80);
  REQUIRE(ParseHttpUrl("https://app.example")->port == 443);
  REQUIRE(ParseHttpUrl("https://app.example")->scheme == "https");
  REQUIRE(ParseHttpUrl("http://[::1]:9100/")->host == "[::1]");
  REQUIRE(ParseHttpUrl("http://u:p@h:1/")->has_user);
  REQUIRE_FALSE(ParseHttpUrl(std::string("http://a.example\0.b.example/", 28)));
  REQUIRE_FALSE(ParseHttpUrl("http://h:1/")->has_user);
  REQUIRE_FALSE(ParseHttpUrl("ftp://h/"));
  REQUIRE_FALSE(ParseHttpUrl("h:80/metrics"));
  REQUIRE(*AddUrlParameters("http://h/m?a=1", {{"match[]", "x y&z"}}) ==
          "http://h/m?a=1&match%5b%5d=x+y%26z");
  REQUIRE(*AddUrlParameters("http://h/m", {}) == "http://h/m");
}

TEST_CASE("http client verifies certificates", "[http_client]") {
  if (!HasProgram("openssl")) {
    WARN("SKIPPED: openssl is not installed");
    return;
  }
  const TlsServer server;
  const auto ask = [&](HttpTls tls) { return HttpClient({.tls = tls}).Get(server.url(), In(30s)); };
  REQUIRE(CodeOf(ask({})) == ErrorCode::kUnavailable);
  REQUIRE(ask({.insecure_skip_verify = true})->body == "a 1\n");
  // Trusted, but made out to another name than the URL's.
  REQUIRE(CodeOf(ask({.ca_file = server.cert()})) == ErrorCode::kUnavailable);
  const auto named = ask({.ca_file = server.cert(), .server_name = "stub.example"});
  REQUIRE(named->body == "a 1\n");
  REQUIRE(named->timings.tls.count() > 0);
  REQUIRE_FALSE(ask({.ca_file = server.cert(), .server_name = "other.example"}));
  REQUIRE(ask({.ca_file = server.cert(),
               .cert_file = server.cert(),
               .key_file = server.key(),
               .server_name = "stub.example"}));
  // It may be in the middle of being replaced.
  REQUIRE(CodeOf(ask({.ca_file = "/nonexistent/ca.pem"})) == ErrorCode::kUnavailable);
  REQUIRE(CodeOf(ask({.ca_file = server.cert(),
                      .cert_file = server.cert(),
                      .key_file = "/nonexistent/key.pem",
                      .server_name = "stub.example"})) == ErrorCode::kUnavailable);
  const auto between = [&](TlsVersion least, TlsVersion most) {
    return ask({.insecure_skip_verify = true, .min_version = least, .max_version = most});
  };
  REQUIRE(between(TlsVersion::k13, TlsVersion::kDefault));
  REQUIRE(between(TlsVersion::kDefault, TlsVersion::k12));
  // The server speaks 1.2 and above.
  REQUIRE_FALSE(between(TlsVersion::k10, TlsVersion::k11));
}

TEST_CASE("http client reports a server that speaks no TLS", "[http_client]") {
  HttpStub stub;
  HttpClient client;
  const auto url = "https://127.0.0.1:" + std::to_string(stub.port()) + "/";
  // The stub waits for the end of a head that never comes.
  REQUIRE(CodeOf(client.Get(url, In(300ms))) == ErrorCode::kTimeout);
}
