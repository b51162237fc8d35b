// blackbox_exporter's module options: what is sent because of them, and which files load.

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <catch2/catch.hpp>
#include <filesystem>
#include <thread>

#include "collectors/probe/module.h"
#include "collectors/probe/runner.h"
#include "core/config/yaml.h"
#include "core/file.h"
#include "tests/probe/certificate.h"
#include "tests/probe/line_stub.h"
#include "tests/probe/subject.h"
#include "tests/support/http_client.h"
#include "tests/support/http_stub.h"
#include "tests/support/temp_dir.h"

namespace vigia::test {
namespace {

using collectors::probe::Module;

std::map<std::string, Module> Modules(const std::string& yaml, std::string& faults) {
  config::Diagnostics diagnostics("blackbox.yml");
  const auto node = config::ParseYaml(yaml, {}, diagnostics);
  auto modules = collectors::probe::ReadModules(node, diagnostics);
  faults = diagnostics.ToString();
  return modules;
}

bool HasReason(const std::string& page, const std::string& reason) {
  return page.find("reason=\"" + reason + "\"") != std::string::npos;
}

}  // namespace

TEST_CASE("headers and bodies of a probe may stand in files", "[probe]") {
  HttpStub stub;
  stub.Answer("/", {.body = "fine"});
  const TempDir dir;
  dir.Write("key.txt", "s3cret\n");
  dir.Write("body.txt", "{\"a\":1}");
  const auto page =
      ProbeTarget("{ http: \"" + stub.Url("/") +
                  "\", method: POST, body_file: " + (dir.path() / "body.txt").string() +
                  ", http_headers: { X-Key: { files: [ " + (dir.path() / "key.txt").string() +
                  " ] }, X-Plain: { values: [ a, b ] }, X-Hidden: { secrets: [ c ] } } }");
  INFO(page);
  REQUIRE(HasLine(page, "probe_success 1"));
  const auto request = stub.requests().at(0);
  REQUIRE(request.method == "POST");
  REQUIRE(request.body == "{\"a\":1}");
  REQUIRE(request.headers.at("x-key") == "s3cret");
  REQUIRE(request.headers.at("x-hidden") == "c");
  REQUIRE(request.headers.contains("x-plain"));
  REQUIRE(HasReason(ProbeTarget("{ name: x, http: \"" + stub.Url("/") +
                                "\", method: POST, body_file: /nowhere }"),
                    "other"));
  REQUIRE(ProbeFaults("targets: [ { http: \"http://x/\", body: a, body_file: b } ]")
              .find("stands beside body") != std::string::npos);
  REQUIRE(ProbeFaults("targets: [ { http: \"http://x/\", http_headers: { Host: { values: [ a ] } "
                      "} } ]")
              .find("Host is set by vigia itself") != std::string::npos);
}

TEST_CASE("a probe goes through a proxy, except for what it is told to ask itself", "[probe]") {
  HttpStub proxy;
  HttpStub direct;
  direct.Answer("/", {.body = "direct"});
  proxy.Decide("http://127.0.0.1:" + std::to_string(direct.port()) + "/",
               [](const StubRequest&) { return StubAnswer{.body = "proxied"}; });
  const auto probe = [&](const std::string& rest) {
    return ProbeTarget("{ name: x, http: \"" + direct.Url("/") + "\", proxy_url: \"" +
                       proxy.Url("") + "\", fail_if_body_not_matches_regexp: [ " + rest + " }");
  };
  auto page = probe("proxied ]");
  INFO(page);
  REQUIRE(proxy.requests().size() == 1);
  REQUIRE(direct.requests().empty());
  page = probe("direct ], no_proxy: 127.0.0.1");
  INFO(page);
  REQUIRE(HasLine(page, "probe_success 1"));
  REQUIRE(proxy.requests().size() == 1);
  REQUIRE(ProbeFaults("targets: [ { http: \"http://x/\", no_proxy: y } ]")
              .find("means nothing without proxy_url") != std::string::npos);
}

TEST_CASE("a probe that wants compression fails where there is none", "[probe]") {
  HttpStub stub;
  stub.Answer("/packed", {.body = "hello", .gzip = true});
  stub.Answer("/plain", {.body = "hello"});
  const auto probe = [&](const std::string& path, const std::string& word) {
    return ProbeTarget("{ name: x, http: \"" + stub.Url(path) + "\", compression: " + word +
                       ", fail_if_body_not_matches_regexp: [ ^hello$ ] }");
  };
  auto page = probe("/packed", "gzip");
  INFO(page);
  REQUIRE(HasLine(page, "probe_success 1"));
  REQUIRE(HasLine(page, "probe_http_uncompressed_body_length 5"));
  REQUIRE(stub.requests().at(0).headers.at("accept-encoding") == "gzip");
  REQUIRE(HasReason(probe("/plain", "gzip"), "encoding"));
  REQUIRE(HasLine(probe("/plain", "identity"), "probe_success 1"));
  REQUIRE(ProbeFaults("targets: [ { http: \"http://x/\", compression: zip } ]")
              .find("is none of gzip, br, deflate, identity") != std::string::npos);
  REQUIRE(ProbeFaults("targets: [ { http: \"http://x/\", compression: gzip, headers: { "
                      "Accept-Encoding: \"br, gzip;q=0\" } } ]")
              .find("does not ask for it") != std::string::npos);
}

TEST_CASE("versions of HTTP may be written in each way", "[probe]") {
  HttpStub stub;
  stub.Answer("/", {.body = "fine"});
  const auto probe = [&](const std::string& versions) {
    return ProbeTarget("{ name: x, http: \"" + stub.Url("/") + "\", valid_http_versions: [ " +
                       versions + " ] }");
  };
  REQUIRE(HasLine(probe("HTTP/1.1, HTTP/2.0"), "probe_success 1"));
  REQUIRE(HasLine(probe("HTTP/2, \"1.1\""), "probe_success 1"));
  REQUIRE(HasReason(probe("HTTP/2"), "version"));
  REQUIRE(ProbeFaults("targets: [ { http: \"http://x/\", valid_http_versions: [ SPDY ] } ]")
              .find("'SPDY' is none of") != std::string::npos);
}

TEST_CASE("the Host header is the name that the certificate is checked for", "[probe]") {
  if (!HasProgram("openssl")) return;
  const Certificate certificate({.name = "shop.example"});
  const TlsServer server(certificate);
  const auto page = ProbeTarget("{ http: \"https://127.0.0.1:" + std::to_string(server.port()) +
                                "/\", headers: { Host: shop.example }, tls_config: { ca_file: " +
                                certificate.cert_file() + " } }");
  INFO(page);
  REQUIRE(HasLine(page, "probe_success 1"));
  REQUIRE(HasLine(page, "vigia_probe_certificate_valid 1"));
}

TEST_CASE("bytes are expected as they are, and binary ones sent so", "[probe]") {
  const LineStub stub(std::vector<LineStep>{{.send = "N"}});
  const auto probe = [&](const std::string& bytes) {
    return ProbeTarget("{ name: x, timeout: 500ms, tcp: \"" + stub.address() +
                       "\", query_response: [ { send: !!binary AAAACATSFi8= }, { expect_bytes: " +
                       bytes + " } ] }");
  };
  auto page = probe("N");
  INFO(page);
  REQUIRE(HasLine(page, "probe_success 1"));
  REQUIRE(HasLine(page, "probe_failed_due_to_bytes 0"));
  page = probe("S");
  REQUIRE(HasLine(page, "probe_success 0"));
  REQUIRE(HasLine(page, "probe_failed_due_to_bytes 1"));
  REQUIRE(HasLine(page, "probe_failed_due_to_regex 0"));
  REQUIRE(HasReason(probe("NNN"), "timeout"));
  REQUIRE(ProbeFaults("targets: [ { tcp: \"x:1\", query_response: [ { expect: a, expect_bytes: b } "
                      "] } ]")
              .find("stands beside expect") != std::string::npos);
  REQUIRE(ProbeFaults("targets: [ { tcp: \"x:1\", query_response: [ { send: !!binary \"?\" } ] } ]")
              .find("!!binary") != std::string::npos);
}

TEST_CASE("a unix probe holds its conversation over a socket", "[probe]") {
  const TempDir dir;
  const std::string path = dir.path() / "service.sock";
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  ::listen(listener, 4);
  std::thread server([&] {
    const int connection = ::accept(listener, nullptr, nullptr);
    char bytes[5] = {};
    const bool asked =
        ::recv(connection, bytes, 5, MSG_WAITALL) == 5 && std::string(bytes, 5) == "PING\n";
    if (asked) ::send(connection, "PONG\n", 5, MSG_NOSIGNAL);
    ::close(connection);
  });
  const auto page = ProbeTarget("{ name: x, unix: " + path +
                                ", query_response: [ { send: PING }, { expect: ^PONG$ } ] }");
  server.join();
  ::close(listener);
  INFO(page);
  REQUIRE(HasLine(page, "probe_success 1"));
  REQUIRE(page.find("probe_ip_protocol") == std::string::npos);
  REQUIRE(HasReason(ProbeTarget("{ name: x, unix: /nowhere.sock }"), "connect"));
}

TEST_CASE("the peer's own files of modules load", "[probe]") {
  for (const std::string file :
       {"/etc/prometheus/blackbox.yml",
        "/usr/share/doc/prometheus-blackbox-exporter/examples/example.yml",
        "/usr/share/doc/prometheus-blackbox-exporter/examples/blackbox.yml"}) {
    if (!std::filesystem::exists(file)) {
      WARN("SKIPPED: there is no " << file);
      continue;
    }
    config::Diagnostics diagnostics(file);
    const auto node = config::LoadYaml(file, {}, diagnostics);
    const auto modules = collectors::probe::ReadModules(node, diagnostics);
    INFO(diagnostics.ToString());
    REQUIRE(diagnostics.ok());
    REQUIRE(modules.size() > 5);
  }
}

TEST_CASE("modules with the newest options load; what is missing says so", "[probe]") {
  std::string faults;
  const auto modules = Modules(R"yaml(
modules:
  proxied:
    prober: http
    http:
      proxy_url: "http://user:hunter2@127.0.0.1:3128"
      proxy_connect_header: { Proxy-Authorization: [ Bearer hunter2 ] }
      skip_resolve_phase_with_proxy: true
      no_follow_redirects: false
      basic_auth: { username: me, password: hunter2 }
      headers: { X-Key: hunter2 }
      http_headers: { X-Token: { secrets: [ hunter2 ] } }
      fail_if_body_json_not_matches_cel: "body.foo == 'bar'"
  token:
    prober: http
    http: { oauth2: { client_id: a, client_secret: hunter2, token_url: "https://x/token" } }
  quic: { prober: http, http: { enable_http3: true, enable_http2: false, valid_http_versions: [ HTTP/3.0 ] } }
  socket: { prober: unix, unix: { query_response: [ { send: PING }, { expect: PONG } ] } }
  database: { prober: tcp, tcp: { query_response: [ { send: !!binary AAAACATSFi8= }, { expect_bytes: S }, { starttls: true } ] } }
  revoked: { prober: tcp, tcp: { tls: true, check_revoked: true } }
  unrevoked: { prober: http, http: { check_revoked: false } }
  remote: { prober: grpc, grpc: { service: x, tls: true, metadata: { Authorization: hunter2, X-Team: [ a, b ] } } }
  live:
    prober: websocket
    websocket:
      preferred_ip_protocol: ip4
      http_config: { bearer_token: hunter2, tls_config: { insecure_skip_verify: true } }
      headers: { X-Key: { secrets: [ hunter2 ] } }
      query_response: [ { expect: hello, send: hi }, { expect: fine } ]
)yaml",
                               faults);
  REQUIRE(faults == "");
  REQUIRE(modules.at("token").unsupported == "");
  REQUIRE(modules.at("token").http.oauth2.client_id == "a");
  REQUIRE(modules.at("quic").unsupported.starts_with("HTTP/3: "));
  REQUIRE(modules.at("revoked").unsupported == "check_revoked");
  REQUIRE(modules.at("unrevoked").unsupported == "");
  REQUIRE(modules.at("remote").grpc.service == "x");
  REQUIRE(modules.at("remote").grpc.metadata ==
          HttpFields{{"authorization", "hunter2"}, {"x-team", "a"}, {"x-team", "b"}});
  REQUIRE(modules.at("live").websocket.steps.size() == 2);
  REQUIRE(modules.at("live").ip == collectors::probe::IpChoice::kIp4First);
  REQUIRE(modules.at("socket").unsupported == "");
  REQUIRE(modules.at("database").tcp.steps.at(0).send.size() == 8);
  REQUIRE(modules.at("proxied").http.proxy.connect_headers.size() == 1);
  for (const auto& [name, module] : modules) {
    INFO(module.text);
    REQUIRE(module.text.starts_with(name + ":\n  prober: "));
    REQUIRE(module.text.find("hunter2") == std::string::npos);
  }
  REQUIRE(modules.at("proxied").text.find(
              "fail_if_body_json_not_matches_cel: \"body.foo == 'bar'\"") != std::string::npos);
}

TEST_CASE("certificates and keys may stand in a module itself", "[probe]") {
  const Certificate certificate;
  const auto pem = [](const std::string& path) {
    auto text = ReadFile(path).value();
    for (std::size_t at = 0; (at = text.find('\n', at)) != text.npos; at += 2) {
      text.replace(at, 1, "\\n");
    }
    return "\"" + text + "\"";
  };
  const auto cert = pem(certificate.cert_file());
  std::string faults;
  const auto modules =
      Modules("modules:\n  http: { prober: http, http: { tls_config: { ca: " + cert +
                  ", cert: " + cert + ", key: " + pem(certificate.key_file()) +
                  " } } }\n  tcp: { prober: tcp, tcp: { tls: true, tls_config: { ca: " + cert +
                  ", cert: " + cert + ", key: " + pem(certificate.key_file()) + " } } }\n",
              faults);
  REQUIRE(faults == "");
  REQUIRE(modules.at("tcp").text.find("PRIVATE KEY") == std::string::npos);
  const TlsServer server(certificate);
  const auto probe = [&](const std::string& module, const std::string& target) {
    const auto deadline = Deadline::After(SystemClock(), 10s);
    return collectors::probe::ProbeOnce(modules.at(module),
                                        {.target = target, .deadline = deadline}, {});
  };
  const auto address = "localhost:" + std::to_string(server.port());
  const auto http = probe("http", "https://" + address + "/");
  INFO(http.message);
  REQUIRE(http.success);
  const auto tcp = probe("tcp", address);
  INFO(tcp.message);
  REQUIRE(tcp.success);
  static_cast<void>(
      Modules("modules: { x: { prober: tcp, tcp: { tls_config: { ca_ref: a, ca: b, "
              "ca_file: c } } } }",
              faults));
  REQUIRE(faults.find("secret manager") != std::string::npos);
  REQUIRE(faults.find("stands beside ca_file") != std::string::npos);
}

}  // namespace vigia::test
