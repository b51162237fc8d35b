// TLS: what is told of certificates, also of those that are refused.

#include <catch2/catch.hpp>
#include <cmath>

#include "tests/probe/certificate.h"
#include "tests/probe/line_stub.h"
#include "tests/probe/subject.h"
#include "tests/support/redis_server.h"

namespace vigia::test {
namespace {

constexpr long kDay = 24L * 3600;

bool Available() {
  if (HasProgram("openssl")) return true;
  WARN("SKIPPED: openssl is not installed");
  return false;
}

std::string Target(const TlsServer& server, const std::string& kind, const std::string& rest) {
  const std::string address = "localhost:" + std::to_string(server.port());
  const std::string url = kind == "http" ? "https://" + address + "/" : address;
  return "{ name: x, " + kind + ": \"" + url + "\", preferred_ip_protocol: ip4" + rest + " }";
}

}  // namespace

TEST_CASE("a trusted certificate is reported with its chain", "[probe]") {
  if (!Available()) return;
  const Certificate certificate({.valid_until = 40 * kDay});
  const TlsServer server(certificate);
  const std::string trust = ", tls_config: { ca_file: " + certificate.cert_file() + " }";
  for (const std::string kind : {"http", "tls"}) {
    const auto page = ProbeTarget(Target(server, kind, trust));
    INFO(page);
    REQUIRE(HasLine(page, "probe_success 1"));
    REQUIRE(ValueOf(page, "probe_ssl_earliest_cert_expiry") == certificate.expiry());
    REQUIRE(ValueOf(page, "probe_ssl_last_chain_expiry_timestamp_seconds") == certificate.expiry());
    REQUIRE(HasLine(page, "vigia_probe_certificate_valid 1"));
    REQUIRE(HasLine(page, "probe_tls_version_info{version=\"TLS 1.3\"} 1"));
    REQUIRE(page.find("cipher=\"TLS_") != std::string::npos);
    REQUIRE(page.find("subject=\"CN=localhost\"") != std::string::npos);
    REQUIRE(page.find("subjectalternative=\"localhost\"") != std::string::npos);
    REQUIRE(page.find("serialnumber=\"1234\"") != std::string::npos);
    if (kind == "http") {
      REQUIRE(HasLine(page, "probe_http_ssl 1"));
      REQUIRE(ValueOf(page, "probe_http_duration_seconds{phase=\"tls\"}") > 0);
    }
  }
}

TEST_CASE("the expiry stays in sight when the certificate is refused", "[probe]") {
  if (!Available()) return;
  struct Case {
    std::string name;
    long valid_from;
    long valid_until;
    bool trusted;
  };
  for (const auto& one : std::vector<Case>{
           {"localhost", -9 * kDay, -2 * kDay, true},     // expired
           {"localhost", 2 * kDay, 9 * kDay, true},       // not yet valid
           {"other.example", -1 * kDay, 9 * kDay, true},  // of another name
           {"localhost", -1 * kDay, 9 * kDay, false},     // of nobody we know
       }) {
    const Certificate certificate(
        {.name = one.name, .valid_from = one.valid_from, .valid_until = one.valid_until});
    const TlsServer server(certificate);
    const std::string trust =
        one.trusted ? ", tls_config: { ca_file: " + certificate.cert_file() + " }" : "";
    for (const std::string kind : {"http", "tls"}) {
      const auto page = ProbeTarget(Target(server, kind, trust));
      INFO(one.name << " " << one.valid_until << " " << kind << "\n" << page);
      REQUIRE(HasLine(page, "probe_success 0"));
      REQUIRE(page.find("reason=\"tls\"") != std::string::npos);
      REQUIRE(ValueOf(page, "probe_ssl_earliest_cert_expiry") == certificate.expiry());
      REQUIRE(HasLine(page, "vigia_probe_certificate_valid 0"));
    }
  }
}

TEST_CASE("a certificate that nobody checks is still reported as it is", "[probe]") {
  if (!Available()) return;
  const Certificate certificate({.valid_from = -9 * kDay, .valid_until = -2 * kDay});
  const TlsServer server(certificate);
  for (const std::string kind : {"http", "tls"}) {
    const auto page =
        ProbeTarget(Target(server, kind, ", tls_config: { insecure_skip_verify: true }"));
    INFO(page);
    REQUIRE(HasLine(page, "probe_success 1"));
    REQUIRE(HasLine(page, "vigia_probe_certificate_valid 0"));
    REQUIRE(ValueOf(page, "probe_ssl_earliest_cert_expiry") == certificate.expiry());
  }
}

TEST_CASE("server_name asks for and checks another name", "[probe]") {
  if (!Available()) return;
  const Certificate certificate({.name = "shop.example"});
  const TlsServer server(certificate);
  for (const std::string kind : {"http", "tls"}) {
    const auto page = ProbeTarget(Target(
        server, kind,
        ", tls_config: { server_name: shop.example, ca_file: " + certificate.cert_file() + " }"));
    INFO(page);
    REQUIRE(HasLine(page, "probe_success 1"));
    REQUIRE(HasLine(page, "vigia_probe_certificate_valid 1"));
  }
}

TEST_CASE("STARTTLS leads from lines to a certificate", "[probe]") {
  if (!Available()) return;
  const Certificate certificate({.name = "mail.example"});
  const TlsServer server(certificate);
  const LineStub stub({{"220 mail.example ESMTP\r\n", "EHLO vigia"},
                       {"250-mail.example\r\n250 STARTTLS\r\n", "STARTTLS"},
                       {"220 go ahead\r\n", ""}},
                      server.port());
  const auto page = ProbeTarget(
      "{ name: x, tcp: \"" + stub.address() +
      "\", tls_config: { server_name: mail.example, ca_file: " + certificate.cert_file() +
      " }, query_response: [ { expect: '^220 ([^ ]+) ESMTP', labels: [ { name: server, value: "
      "'${1}' } ] }, { send: EHLO vigia }, { expect: '^250 STARTTLS', send: STARTTLS }, { expect: "
      "^220, starttls: true } ] }");
  INFO(page);
  REQUIRE(HasLine(page, "probe_success 1"));
  REQUIRE(ValueOf(page, "probe_ssl_earliest_cert_expiry") == certificate.expiry());
  REQUIRE(HasLine(page, "probe_expect_info{server=\"mail.example\"} 1"));
}

}  // namespace vigia::test
