// HTTP probes against a server that answers as it is told: well, slowly, without end, or never.

#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>

#include "tests/probe/subject.h"
#include "tests/support/http_client.h"
#include "tests/support/http_stub.h"

namespace vigia::test {
namespace {

std::string Quoted(const std::string& url) { return "http: \"" + url + "\""; }

double SecondsOf(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

TEST_CASE("a good answer is reported as blackbox_exporter reports it", "[probe]") {
  HttpStub stub;
  stub.Answer("/", {.body = "hello\n"});
  const auto page = ProbeTarget("{ " + Quoted(stub.Url("/")) + " }");
  for (const auto* line :
       {"probe_success 1", "probe_ip_protocol 4", "probe_ip_addr_hash 3668918509",
        "probe_http_status_code 200", "probe_http_redirects 0", "probe_http_ssl 0",
        "probe_http_version 1.1", "probe_http_content_length 6",
        "probe_http_uncompressed_body_length 6", "probe_failed_due_to_regex 0",
        "probe_http_duration_seconds{phase=\"tls\"} 0"}) {
    INFO(line << "\n" << page);
    REQUIRE(HasLine(page, line));
  }
  const double total = ValueOf(page, "probe_duration_seconds");
  double sum = 0;
  for (const auto* phase : {"resolve", "connect", "tls", "processing", "transfer"}) {
    sum += ValueOf(page, std::string("probe_http_duration_seconds{phase=\"") + phase + "\"}");
  }
  REQUIRE(sum > 0);
  REQUIRE(sum <= total + 0.001);
  REQUIRE(HasLine(page, "vigia_probe_healthy{probe=\"" + stub.Url("/") + "\",prober=\"http\"} 1"));
}

TEST_CASE("a request is sent as configured", "[probe]") {
  HttpStub stub;
  stub.Answer("/login", {.status = 201, .body = "made"});
  const auto page = ProbeTarget("{ " + Quoted(stub.Url("/login")) +
                                ", method: POST, headers: { X-Probe: \"yes\" }, body: \"a=1\", "
                                "basic_auth: { username: eve }, expect: { status: [2xx] } }");
  REQUIRE(HasLine(page, "probe_success 1"));
  const auto request = stub.requests().at(0);
  REQUIRE(request.method == "POST");
  REQUIRE(request.body == "a=1");
  REQUIRE(request.headers.at("x-probe") == "yes");
  REQUIRE(request.headers.at("authorization") == "Basic ZXZlOg==");
}

TEST_CASE("conditions decide whether an answer is a success", "[probe]") {
  HttpStub stub;
  stub.Answer("/", {.status = 200,
                    .headers = {{"X-Version", "7.2"}},
                    .body = R"({"status":"ok","checks":[{"up":true}],"queue":12,"a b":"x"})"});
  stub.Answer("/down", {.status = 503, .body = "{}"});
  struct Case {
    std::string path;
    std::string expect;
    std::string reason;  // empty: success
  };
  const std::vector<Case> cases{
      {"/", "status: [200]", ""},
      {"/", "status: [204, 301-399]", "status"},
      {"/down", "status: [5xx]", ""},
      {"/down", "{}", "status"},
      {"/", "body: '\"status\":\"ok\"'", ""},
      {"/", "body: [status, missing]", "body"},
      {"/", "body_not: error", ""},
      {"/", "body_not: ok", "body"},
      {"/", "headers: { X-Version: '^7\\.' }", ""},
      {"/", "headers: { X-Version: '^8' }", "header"},
      {"/", "headers: { X-Other: '.*' }", "header"},
      {"/", "json: { path: $.status, equals: ok }", ""},
      {"/", "json: { path: $.status, equals: no }", "json"},
      {"/", "json: [ { path: '$.checks[0].up', equals: 'true' }, { path: \"$['a b']\" } ]", ""},
      {"/", "json: { path: '$.checks[-1].up', equals: 'false' }", "json"},
      {"/", "json: { path: $.queue, below: 100, above: 3 }", ""},
      {"/", "json: { path: $.queue, below: 12 }", "json"},
      {"/", "json: { path: $.status, below: 12 }", "json"},
      {"/", "json: { path: $.gone, exists: false }", ""},
      {"/", "json: { path: $.gone }", "json"},
      {"/", "json: { path: $.status, matches: '^o' }", ""},
      {"/", "duration: 10s", ""},
  };
  for (const auto& one : cases) {
    const std::string expect = one.expect == "{}" ? "{}" : "{ " + one.expect + " }";
    const auto page =
        ProbeTarget("{ name: x, " + Quoted(stub.Url(one.path)) + ", expect: " + expect + " }");
    INFO(one.expect << "\n" << page);
    REQUIRE(HasLine(page, one.reason.empty() ? "probe_success 1" : "probe_success 0"));
    if (one.reason.empty()) continue;
    REQUIRE(HasLine(page, "vigia_probe_failure_info{probe=\"x\",prober=\"http\",reason=\"" +
                              one.reason + "\"} 1"));
    const bool regex = one.reason == "body" || one.reason == "header";
    REQUIRE(HasLine(page, std::string("probe_failed_due_to_regex ") + (regex ? "1" : "0")));
  }
}

TEST_CASE("redirects are followed, counted, and end in a loop", "[probe]") {
  HttpStub stub;
  stub.Answer("/a", {.status = 302, .headers = {{"Location", "/b"}}});
  stub.Answer("/b", {.status = 301, .headers = {{"Location", "/c"}}});
  stub.Answer("/c", {.body = "done"});
  stub.Answer("/loop", {.status = 302, .headers = {{"Location", "/loop"}}});
  auto page = ProbeTarget("{ " + Quoted(stub.Url("/a")) + " }");
  REQUIRE(HasLine(page, "probe_success 1"));
  REQUIRE(HasLine(page, "probe_http_redirects 2"));
  REQUIRE(HasLine(page, "probe_http_uncompressed_body_length 4"));
  page = ProbeTarget("{ " + Quoted(stub.Url("/a")) +
                     ", follow_redirects: false, expect: { status: [302] } }");
  REQUIRE(HasLine(page, "probe_success 1"));
  REQUIRE(HasLine(page, "probe_http_redirects 0"));
  const auto before = stub.requests().size();
  page = ProbeTarget("{ name: x, " + Quoted(stub.Url("/loop")) + " }");
  REQUIRE(HasLine(page, "probe_success 0"));
  REQUIRE(page.find("reason=\"redirect\"") != std::string::npos);
  REQUIRE(HasLine(page, "probe_http_status_code 302"));
  REQUIRE(stub.requests().size() - before <= 11);
}

TEST_CASE("a probe ends whatever the server does", "[probe]") {
  HttpStub stub;
  stub.Answer("/hang", {.manner = StubAnswer::Manner::kHang});
  stub.Answer("/slow", {.body = std::string(10'000, 'x'), .manner = StubAnswer::Manner::kSlowBody});
  stub.Answer("/endless",
              {.body = std::string(10'000, 'x'), .manner = StubAnswer::Manner::kEndlessBody});
  stub.Answer("/cut", {.body = std::string(1000, 'x'), .manner = StubAnswer::Manner::kCutBody});
  struct Case {
    std::string path;
    std::string options;
    std::string reason;
  };
  for (const auto& one : std::vector<Case>{{"/hang", "timeout: 300ms", "timeout"},
                                           {"/slow", "timeout: 300ms", "timeout"},
                                           {"/endless", "body_size_limit: 1MB", "body_size"},
                                           {"/cut", "timeout: 5s", "connection"}}) {
    std::string page;
    const double took = SecondsOf([&] {
      page = ProbeTarget("{ name: x, " + Quoted(stub.Url(one.path)) + ", " + one.options + " }");
    });
    INFO(one.path << "\n" << page);
    REQUIRE(HasLine(page, "probe_success 0"));
    REQUIRE(page.find("reason=\"" + one.reason + "\"") != std::string::npos);
    REQUIRE(took < 5);
  }
}

TEST_CASE("no server and no such name are told apart", "[probe]") {
  auto page =
      ProbeTarget("{ name: x, http: \"http://127.0.0.1:" + std::to_string(FreePort()) + "/\" }");
  REQUIRE(page.find("reason=\"connect\"") != std::string::npos);
  REQUIRE(HasLine(page, "probe_http_status_code 0"));
  REQUIRE(HasLine(page, "probe_success 0"));
  page = ProbeTarget("{ name: x, http: \"http://no-such-host.invalid/\", timeout: 4s }");
  REQUIRE(HasLine(page, "probe_success 0"));
  REQUIRE(HasLine(page, "probe_ip_protocol 0"));
  // A resolver that cannot be reached says nothing until the timeout.
  REQUIRE((page.find("reason=\"dns\"") != std::string::npos ||
           page.find("reason=\"timeout\"") != std::string::npos));
}

TEST_CASE("hung targets cost the others nothing, and all together one timeout", "[probe]") {
  HttpStub stub;
  stub.Answer("/", {.body = "x"});
  stub.Answer("/hang", {.manner = StubAnswer::Manner::kHang});
  std::string targets;
  for (int i = 0; i < 20; ++i) {
    const std::string number = std::to_string(i);
    targets += "{ name: hung" + number + ", timeout: 1s, " + Quoted(stub.Url("/hang")) + " },";
    targets += "{ name: good" + number + ", " + Quoted(stub.Url("/")) + " },";
  }
  ProbeSubject subject("targets: [ " + targets + " ]");
  std::string page;
  REQUIRE(SecondsOf([&] { page = subject.Run(); }) < 8);
  for (int i = 0; i < 20; ++i) {
    const std::string number = std::to_string(i);
    REQUIRE(HasLine(page, "probe_success{instance=\"hung" + number + "\"} 0"));
    REQUIRE(HasLine(page, "probe_success{instance=\"good" + number + "\"} 1"));
  }
}

TEST_CASE("descriptors stay flat over 200 rounds of bad probes", "[probe]") {
  HttpStub stub;
  stub.Answer("/hang", {.manner = StubAnswer::Manner::kHang});
  stub.Answer("/endless", {.body = "x", .manner = StubAnswer::Manner::kEndlessBody});
  const std::string nobody = "127.0.0.1:" + std::to_string(FreePort());
  ProbeSubject subject(
      "targets: [ { name: a, timeout: 20ms, " + Quoted(stub.Url("/hang")) +
      " }, { name: b, body_size_limit: 1KB, " + Quoted(stub.Url("/endless")) +
      " }, { name: c, tcp: \"" + nobody + "\" }, { name: d, timeout: 20ms, tls: \"127.0.0.1:" +
      std::to_string(stub.port()) + "\" }, { name: e, timeout: 20ms, dns: \"" + nobody +
      "\", query_name: a }, { name: f, redis: \"redis://" + nobody +
      "\" }, { name: g, postgres: \"host=127.0.0.1 port=1\" }, { name: h, timeout: 20ms, "
      "grpc: \"127.0.0.1:" +
      std::to_string(stub.port()) + "\" }, { name: i, grpc: \"" + nobody +
      "\" }, { name: j, timeout: 20ms, websocket: \"ws://127.0.0.1:" + std::to_string(stub.port()) +
      "/hang\" }, { name: k, timeout: 20ms, " + Quoted(stub.Url("/")) +
      ", oauth2: { client_id: x, token_url: \"" + stub.Url("/hang") + "\" } } ]");
  const auto open_files = [] {
    const std::filesystem::directory_iterator folder("/proc/self/fd");
    return std::distance(begin(folder), end(folder));
  };
  subject.Run();
  const auto before = open_files();
  for (int i = 0; i < 200; ++i) subject.Run();
  // The stub may not have noticed yet that the last of them are gone.
  REQUIRE(open_files() <= before + 9);
}

TEST_CASE("a run ends by its deadline though probes wait for their turn", "[probe]") {
  HttpStub stub;
  stub.Answer("/hang", {.manner = StubAnswer::Manner::kHang});
  ProbeSubject subject("concurrency: 1\ntargets: [ { name: a, " + Quoted(stub.Url("/hang")) +
                       " }, { name: b, " + Quoted(stub.Url("/hang")) + " } ]");
  std::string page;
  REQUIRE(SecondsOf([&] { page = subject.Run(600ms); }) < 2);
  REQUIRE(HasLine(page, "probe_success{instance=\"a\"} 0"));
  REQUIRE(HasLine(page, "probe_success{instance=\"b\"} 0"));
}

TEST_CASE("health follows the thresholds", "[probe]") {
  HttpStub stub;
  stub.Answer("/", {.body = "x"});
  ProbeSubject subject("targets: [ { name: x, failure_threshold: 3, success_threshold: 2, " +
                       Quoted(stub.Url("/")) + " } ]");
  const auto healthy = [&] {
    return ValueOf(subject.Run(), "vigia_probe_healthy{probe=\"x\",prober=\"http\"}");
  };
  REQUIRE(healthy() == 1);
  stub.Answer("/", {.status = 500});
  REQUIRE(healthy() == 1);
  REQUIRE(healthy() == 1);
  REQUIRE(healthy() == 0);
  stub.Answer("/", {.body = "x"});
  REQUIRE(healthy() == 0);
  stub.Answer("/", {.status = 500});
  REQUIRE(healthy() == 0);
  stub.Answer("/", {.body = "x"});
  REQUIRE(healthy() == 0);
  REQUIRE(healthy() == 1);
}

}  // namespace vigia::test
