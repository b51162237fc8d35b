// gRPC probes against a real server of gRPC, and against answers byte by byte.

#include <catch2/catch.hpp>

#include "collectors/probe/grpc_message.h"
#include "tests/probe/certificate.h"
#include "tests/probe/grpc_server.h"
#include "tests/probe/line_stub.h"
#include "tests/probe/subject.h"
#include "tests/support/http_client.h"
#include "tests/support/http_stub.h"

namespace vigia::test {
namespace {

using namespace std::string_literals;
using namespace collectors::probe;

bool HasReason(const std::string& page, const std::string& reason) {
  return page.find("reason=\"" + reason + "\"") != std::string::npos;
}

std::string Probe(const std::string& address, const std::string& more = "") {
  return ProbeTarget("{ name: x, timeout: 5s, grpc: \"" + address + "\"" + more + " }");
}

}  // namespace

TEST_CASE("the messages of a health check are those of its definition", "[probe]") {
  REQUIRE(WriteHealthRequest("") == "\0\0\0\0\0"s);
  REQUIRE(WriteHealthRequest("a.B") == "\0\0\0\0\x05\x0A\x03"s + "a.B");
  REQUIRE(WriteHealthRequest(std::string(200, 's')) ==
          "\0\0\0\0\xCB\x0A\xC8\x01"s + std::string(200, 's'));
  REQUIRE(ReadHealthAnswer("\0\0\0\0\x02\x08\x01"s) == kServing);
  REQUIRE(ReadHealthAnswer("\0\0\0\0\x02\x08\x02"s) == 2);
  // What is not written is the default; fields of later versions are passed over.
  REQUIRE(ReadHealthAnswer("\0\0\0\0\0"s) == 0);
  REQUIRE(ReadHealthAnswer("\0\0\0\0\x06\x12\x02hi\x08\x03"s) == 3);
  for (const auto& bad :
       {""s, "\0\0\0\0"s, "\0\0\0\0\x03\x08\x01"s, "\0\0\0\0\x02\x08\x01\0"s,
        "\x01\0\0\0\x02\x08\x01"s, "\0\0\0\0\x01\x08"s, "\0\0\0\0\x02\x0A\x7F"s}) {
    REQUIRE_FALSE(ReadHealthAnswer(bad));
  }
  REQUIRE(GrpcStatusName(5) == "NOT_FOUND");
  REQUIRE(GrpcStatusName(99) == "99");
}

TEST_CASE("a grpc probe asks a server's health service", "[probe]") {
  if (!GrpcServer::Available()) return;
  const GrpcServer server;
  auto page = Probe(server.address());
  INFO(page);
  REQUIRE(HasLine(page, "probe_success 1"));
  REQUIRE(HasLine(page, "probe_grpc_status_code 0"));
  REQUIRE(HasLine(page, "probe_grpc_ssl 0"));
  REQUIRE(HasLine(page, "probe_grpc_healthcheck_response{serving_status=\"SERVING\"} 1"));
  REQUIRE(HasLine(page, "probe_grpc_healthcheck_response{serving_status=\"NOT_SERVING\"} 0"));
  REQUIRE(HasLine(page, "probe_ip_protocol 4"));
  REQUIRE(ValueOf(page, "probe_grpc_duration_seconds{phase=\"check\"}") > 0);
  REQUIRE(HasLine(page, "probe_timeout_seconds 5"));

  page = Probe(server.address(), ", service: down");
  REQUIRE(HasLine(page, "probe_success 0"));
  REQUIRE(HasLine(page, "probe_grpc_status_code 0"));
  REQUIRE(HasLine(page, "probe_grpc_healthcheck_response{serving_status=\"NOT_SERVING\"} 1"));
  REQUIRE(HasReason(page, "answer"));

  page = Probe(server.address(), ", service: nobody");
  REQUIRE(HasLine(page, "probe_success 0"));
  REQUIRE(HasLine(page, "probe_grpc_status_code 5"));
  REQUIRE(HasLine(page, "probe_grpc_healthcheck_response{serving_status=\"SERVING\"} 0"));

  // By name: the address that was looked up is the one that is asked.
  const auto port = server.address().substr(server.address().rfind(':'));
  page = Probe("localhost" + port, ", preferred_ip_protocol: ip4");
  REQUIRE(HasLine(page, "probe_success 1"));
}

TEST_CASE("a grpc probe sends metadata, and credentials", "[probe]") {
  if (!GrpcServer::Available()) return;
  const GrpcServer server;
  REQUIRE(HasLine(Probe(server.address(), ", service: secret"), "probe_grpc_status_code 16"));
  REQUIRE(HasLine(Probe(server.address(), ", service: secret, metadata: { X-Token: abc }"),
                  "probe_success 1"));
  REQUIRE(ProbeFaults("targets: [ { grpc: \"x:1\", metadata: { Authorization: b } } ]")
              .find("is written as basic_auth") != std::string::npos);
  REQUIRE(ProbeFaults("targets: [ { grpc: \"x:1\", metadata: { grpc-timeout: b } } ]")
              .find("is set by vigia itself") != std::string::npos);
}

TEST_CASE("a grpc probe over TLS reports the certificate, refused or not", "[probe]") {
  if (!GrpcServer::Available()) return;
  const Certificate certificate;
  const GrpcServer server(certificate);
  const auto port = server.address().substr(server.address().rfind(':'));
  auto page = Probe("localhost" + port,
                    ", tls: true, tls_config: { ca_file: " + certificate.cert_file() + " }");
  INFO(page);
  REQUIRE(HasLine(page, "probe_success 1"));
  REQUIRE(HasLine(page, "probe_grpc_ssl 1"));
  REQUIRE(HasLine(page, "vigia_probe_certificate_valid 1"));
  REQUIRE(page.find("probe_tls_version_info{version=\"TLS 1.3\"} 1") != std::string::npos);
  REQUIRE(ValueOf(page, "probe_ssl_earliest_cert_expiry") > 1e9);
  page = Probe("localhost" + port, ", tls: true");
  REQUIRE(HasReason(page, "tls"));
  REQUIRE(HasLine(page, "probe_grpc_status_code 14"));
  REQUIRE(ValueOf(page, "probe_ssl_earliest_cert_expiry") > 1e9);
}

TEST_CASE("what is no server of gRPC fails a grpc probe", "[probe]") {
  auto page = Probe("127.0.0.1:" + std::to_string(FreePort()));
  INFO(page);
  REQUIRE(HasLine(page, "probe_success 0"));
  REQUIRE(HasLine(page, "probe_grpc_status_code 14"));
  REQUIRE(HasReason(page, "connect"));
  // One of HTTP/1.1.
  HttpStub stub;
  page = Probe("127.0.0.1:" + std::to_string(stub.port()));
  REQUIRE(HasLine(page, "probe_success 0"));
  REQUIRE(HasLine(page, "probe_grpc_status_code 14"));
  const LineStub silent({});
  page = ProbeTarget("{ name: x, timeout: 300ms, grpc: \"" + silent.address() + "\" }");
  REQUIRE(HasReason(page, "timeout"));
  REQUIRE(HasLine(page, "probe_grpc_status_code 4"));
}

}  // namespace vigia::test
