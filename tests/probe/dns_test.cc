// DNS probes: records as text, what they are checked against, and DNS over TLS.

#include <catch2/catch.hpp>

#include "collectors/probe/dns_record.h"
#include "tests/probe/line_stub.h"
#include "tests/probe/subject.h"
#include "tests/probe/tls_stub.h"

namespace vigia::test {
namespace {

using namespace std::string_literals;

std::string DataText(std::uint32_t type, const std::string& data) {
  return collectors::probe::DnsDataText(type, data, 0, data.size());
}

// An A record for the name that was asked for.
const std::string kAddress = "\xC0\x0C\x00\x01\x00\x01\x00\x00\x01\x2C\x00\x04\xC0\x00\x02\x07"s;
const std::string kOther = "\xC0\x0C\x00\x01\x00\x01\x00\x00\x01\x2C\x00\x04\xC0\x00\x02\x08"s;

}  // namespace

TEST_CASE("dns records are printed as dig prints them", "[probe]") {
  struct Case {
    std::uint32_t type;
    std::string data;
    std::string text;
  };
  // The names in them end with a root label; the texts are what `dig` prints of such records.
  for (
      const auto& one : std::vector<Case>{
          {1, "\xC0\x00\x02\x07"s, "192.0.2.7"},
          {15, "\x00\x0A\x02mx\x00"s, "10 mx."},
          {16, "\x03"s + "a\"b" + "\x02"s + "\xC3\xA9", "\"a\\\"b\" \"\\195\\169\""},
          {33, "\x00\x01\x00\x02\x01\xBB\x01h\x00"s, "1 2 443 h."},
          {257, "\x00\x05issueletsencrypt.org"s, "0 issue \"letsencrypt.org\""},
          {43, "\x30\x39\x0D\x02\xAB\xCD"s, "12345 13 2 ABCD"},
          {48, "\x01\x01\x03\x0D\x01\x02\x03"s, "257 3 13 AQID"},
          {52, "\x03\x01\x01\xAB\xCD"s, "3 1 1 abcd"},
          {44, "\x04\x02\xAB\xCD"s, "4 2 ABCD"},
          {35, "\x00\x01\x00\x02\x01S\x03SIP\x00\x01h\x00"s, "1 2 \"S\" \"SIP\" \"\" h."},
          {65,
           "\x00\x01\x00"s + "\x00\x01\x00\x06\x02h2\x02h3"s + "\x00\x03\x00\x02\x01\xBB"s +
               "\x00\x04\x00\x08\xC0\x00\x02\x01\xC0\x00\x02\x02"s,
           "1 . alpn=\"h2,h3\" port=\"443\" ipv4hint=\"192.0.2.1,192.0.2.2\""},
          {64, "\x00\x00\x01h\x00"s, "0 h."},
          {47, "\x01h\x00\x00\x06\x40\x01\x00\x00\x00\x03"s, "h. A MX RRSIG NSEC"},
          {46,
           "\x00\x01\x0D\x02\x00\x00\x01\x2C\x5E\x0B\xE1\x00\x00\x00\x00\x00\x30\x39\x01h\x00\x01\x02\x03"s,
           "A 13 2 300 20200101000000 19700101000000 12345 h. AQID"},
          {65280, "\x01\xAB"s, "\\# 2 01AB"},
          // Damaged: the length says more than is there.
          {257, "\x00\xFFissue"s, "\\# 7 00FF6973737565"},
      }) {
    INFO(one.type);
    REQUIRE(DataText(one.type, one.data) == one.text);
  }
  REQUIRE(collectors::probe::DnsTypeName(65) == "HTTPS");
  REQUIRE(collectors::probe::DnsTypeOf("type65280") == 65280);
  REQUIRE(collectors::probe::DnsTypeOf("svcb") == 64);
  REQUIRE_FALSE(collectors::probe::DnsTypeOf("TYPE0"));
}

TEST_CASE("a dns probe matches records of every type", "[probe]") {
  // A CAA record: flags 0, tag "issue", value "ca.example".
  const DnsStub stub(0, {1, 0, 0},
                     "\xC0\x0C\x01\x01\x00\x01\x00\x00\x0E\x10\x00\x11\x00\x05issueca.example"s);
  const auto page =
      ProbeTarget("{ dns: \"" + stub.address() +
                  "\", query_name: example.com, query_type: CAA, validate_answer_rrs: { "
                  "fail_if_not_matches_regexp: '^example\\.com\\.\\t3600\\tIN\\tCAA\\t0 issue "
                  "\"ca\\.example\"$' } }");
  INFO(page);
  REQUIRE(HasLine(page, "probe_success 1"));
  REQUIRE(ValueOf(page, "probe_dns_duration_seconds{phase=\"connect\"}") > 0);
  REQUIRE(ValueOf(page, "probe_dns_duration_seconds{phase=\"request\"}") > 0);
}

TEST_CASE("rules for dns records hold for all of them together", "[probe]") {
  const DnsStub two(0, {2, 0, 0}, kAddress + kOther);
  const DnsStub none(0, {0, 0, 0}, "");
  struct Case {
    const DnsStub& stub;
    std::string rules;
    bool success;
  };
  for (const auto& one : std::vector<Case>{
           {two, "fail_if_matches_regexp: [ '2\\.8$' ]", false},
           {two, "fail_if_matches_regexp: [ '2\\.9$' ]", true},
           {two, "fail_if_not_matches_regexp: [ '192' ]", true},
           {two, "fail_if_not_matches_regexp: [ '2\\.7$' ]", false},
           {two, "fail_if_all_match_regexp: [ '192' ]", false},
           {two, "fail_if_all_match_regexp: [ '2\\.7$' ]", true},
           // Any of them is enough.
           {two, "fail_if_none_matches_regexp: [ '2\\.9$', '2\\.8$' ]", true},
           {two, "fail_if_none_matches_regexp: [ '2\\.9$' ]", false},
           // Where something has to match, no record is not enough.
           {none, "fail_if_not_matches_regexp: [ '192' ]", false},
           {none, "fail_if_none_matches_regexp: [ '192' ]", false},
           {none, "fail_if_matches_regexp: [ '192' ]", true},
           {none, "fail_if_all_match_regexp: [ '192' ]", true},
       }) {
    INFO(one.rules);
    const auto page =
        ProbeTarget("{ dns: \"" + one.stub.address() +
                    "\", query_name: example.com, validate_answer_rrs: { " + one.rules + " } }");
    INFO(page);
    REQUIRE(HasLine(page, one.success ? "probe_success 1" : "probe_success 0"));
  }
}

TEST_CASE("a dns probe asks over TLS, and checks the certificate", "[probe]") {
  const Certificate certificate;
  const TlsStub stub(certificate, [](const std::string& query) {
    std::string answer = query;
    answer[4] = '\x81';
    answer[5] = '\x80';
    answer[9] = 1;
    answer += kAddress;
    answer[0] = static_cast<char>((answer.size() - 2) >> 8);
    answer[1] = static_cast<char>((answer.size() - 2) & 255);
    return answer;
  });
  const auto probe = [&](const std::string& rest) {
    return ProbeTarget("{ name: x, dns: \"localhost:" + std::to_string(stub.port()) +
                       "\", preferred_ip_protocol: ip4, query_name: example.com, query_type: A, "
                       "transport_protocol: tcp, dns_over_tls: true" +
                       rest + " }");
  };
  auto page = probe(", tls_config: { ca_file: " + certificate.cert_file() + " }");
  INFO(page);
  REQUIRE(HasLine(page, "probe_success 1"));
  REQUIRE(HasLine(page, "probe_dns_answer_rrs 1"));
  REQUIRE(ValueOf(page, "probe_ssl_earliest_cert_expiry") == certificate.expiry());
  page = probe("");
  REQUIRE(HasLine(page, "probe_success 0"));
  REQUIRE(HasLine(page, "vigia_probe_certificate_valid 0"));
  REQUIRE(ProbeFaults("targets: [ { dns: \"x:1\", query_name: a, dns_over_tls: true } ]")
              .find("write transport_protocol: tcp") != std::string::npos);
}

}  // namespace vigia::test
