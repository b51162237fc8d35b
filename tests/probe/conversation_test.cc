// TCP, DNS and ICMP probes, and PostgreSQL and Redis as health checks.

#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>

#include "tests/probe/line_stub.h"
#include "tests/probe/subject.h"
#include "tests/support/http_client.h"
#include "tests/support/postgres_server.h"
#include "tests/support/redis_server.h"

namespace vigia::test {
namespace {

bool HasReason(const std::string& page, const std::string& reason) {
  return page.find("reason=\"" + reason + "\"") != std::string::npos;
}

}  // namespace

TEST_CASE("a tcp probe holds its conversation", "[probe]") {
  const LineStub stub({{"SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0-check-9.2"}, {"bye\n", ""}});
  const auto probe = [&](const std::string& last) {
    return ProbeTarget("{ name: x, timeout: 500ms, tcp: \"" + stub.address() +
                       "\", query_response: [ { expect: '^SSH-2.0-OpenSSH_(.*)$', send: "
                       "'SSH-2.0-check-${1}' }, { expect: '" +
                       last + "' } ] }");
  };
  auto page = probe("^bye$");
  INFO(page);
  REQUIRE(HasLine(page, "probe_success 1"));
  REQUIRE(HasLine(page, "probe_failed_due_to_regex 0"));
  REQUIRE(HasLine(page, "probe_ip_addr_hash 3668918509"));
  page = probe("^hello$");
  REQUIRE(HasLine(page, "probe_success 0"));
  REQUIRE(HasLine(page, "probe_failed_due_to_regex 1"));
  REQUIRE(HasReason(page, "timeout"));
}

TEST_CASE("a tcp probe without conversation only connects", "[probe]") {
  const LineStub stub({});
  REQUIRE(HasLine(ProbeTarget("{ tcp: \"" + stub.address() + "\" }"), "probe_success 1"));
  const auto page =
      ProbeTarget("{ name: x, tcp: \"127.0.0.1:" + std::to_string(FreePort()) + "\" }");
  REQUIRE(HasLine(page, "probe_success 0"));
  REQUIRE(HasReason(page, "connect"));
}

TEST_CASE("a dns probe counts and checks records, and passes over forged answers", "[probe]") {
  // The question's name at offset 12; one A record, one NS record with its name compressed.
  using namespace std::string_literals;
  const std::string a = "\xC0\x0C\x00\x01\x00\x01\x00\x00\x01\x2C\x00\x04\xC0\x00\x02\x07"s;
  const std::string ns = "\xC0\x0C\x00\x02\x00\x01\x00\x00\x01\x2C\x00\x05\x02ns\xC0\x0C"s;
  const DnsStub stub(0, {1, 1, 0}, a + ns);
  const std::string target =
      "{ name: x, dns: \"" + stub.address() + "\", query_name: example.com, query_type: A";
  auto page = ProbeTarget(target +
                          ", validate_answer_rrs: { fail_if_not_matches_regexp: "
                          "'^example\\.com\\.\\t300\\tIN\\tA\\t192\\.0\\.2\\.7$' }, "
                          "validate_authority_rrs: { fail_if_none_matches_regexp: "
                          "'NS\\tns\\.example\\.com\\.$' } }");
  INFO(page);
  for (const auto* line : {"probe_success 1", "probe_dns_answer_rrs 1", "probe_dns_authority_rrs 1",
                           "probe_dns_additional_rrs 0", "probe_dns_query_succeeded 1"}) {
    REQUIRE(HasLine(page, line));
  }
  page = ProbeTarget(target + ", validate_answer_rrs: { fail_if_matches_regexp: 192 } }");
  REQUIRE(HasLine(page, "probe_success 0"));
  REQUIRE(HasReason(page, "answer"));
}

TEST_CASE("a dns server that says no, lies, or is silent fails the probe", "[probe]") {
  const DnsStub refuses(5, {0, 0, 0}, "");
  const auto target = [](const std::string& address, const std::string& rest = "") {
    return "{ name: x, timeout: 500ms, dns: \"" + address + "\", query_name: example.com" + rest +
           " }";
  };
  REQUIRE(HasReason(ProbeTarget(target(refuses.address())), "answer"));
  REQUIRE(HasLine(ProbeTarget(target(refuses.address(), ", valid_rcodes: [REFUSED]")),
                  "probe_success 1"));
  // A name that points at itself, and counts that promise more than is there.
  const DnsStub loops(0, {3, 0, 0}, std::string("\xC0\x1D\x00\x01", 4));
  REQUIRE(HasLine(ProbeTarget(target(loops.address())), "probe_success 0"));
  const LineStub silent({});
  const auto page = ProbeTarget(target(silent.address(), ", transport_protocol: tcp"));
  REQUIRE(HasReason(page, "timeout"));
  REQUIRE(HasLine(page, "probe_dns_query_succeeded 0"));
}

TEST_CASE("an icmp probe measures the round trip where it is permitted", "[probe]") {
  const auto page = ProbeTarget("{ name: x, icmp: 127.0.0.1, timeout: 2s }");
  INFO(page);
  if (HasReason(page, "not_permitted")) {
    WARN("SKIPPED: this process may not send ICMP");
    return;
  }
  REQUIRE(HasLine(page, "probe_success 1"));
  REQUIRE(HasLine(page, "probe_icmp_reply_hop_limit 64"));
  REQUIRE(ValueOf(page, "probe_icmp_duration_seconds{phase=\"rtt\"}") > 0);
}

TEST_CASE("a postgres probe says whether the server serves", "[probe]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  server.Sql("CREATE ROLE app LOGIN");
  ProbeSubject subject("targets: [ { name: db, timeout: 2s, postgres: \"" +
                       server.dsn("postgres", "app") + "\" } ]");
  REQUIRE(HasLine(subject.Run(), "probe_success 1"));
  // Refused as when all connections are in use (SQLSTATE 53300), but for certain.
  server.Sql("ALTER ROLE app CONNECTION LIMIT 0");
  REQUIRE(HasReason(subject.Run(), "connect"));
  server.Sql("ALTER ROLE app CONNECTION LIMIT -1");
  server.Freeze();
  REQUIRE(HasReason(subject.Run(), "timeout"));
  server.Thaw();
  server.Stop();
  REQUIRE(HasReason(subject.Run(), "connect"));
  server.Start();
  REQUIRE(HasLine(subject.Run(), "probe_success 1"));
}

TEST_CASE("a redis probe sets, gets and deletes a key of its own", "[probe]") {
  if (!RedisServer::Available()) return;
  RedisServer server;
  ProbeSubject subject("targets: [ { name: cache, timeout: 1s, redis: \"" + server.url() +
                       "\" } ]");
  REQUIRE(HasLine(subject.Run(), "probe_success 1"));
  REQUIRE(server.Cli({"DBSIZE"}) == "0\n");
  REQUIRE(server.Cli({"INFO", "commandstats"}).find("cmdstat_set:calls=1,") != std::string::npos);

  server.Cli({"REPLICAOF", "127.0.0.1", "1"});  // READONLY from now on
  REQUIRE(HasReason(subject.Run(), "answer"));
  server.Cli({"REPLICAOF", "NO", "ONE"});
  REQUIRE(HasLine(subject.Run(), "probe_success 1"));
  server.Freeze();
  REQUIRE(HasReason(subject.Run(), "timeout"));
  server.Thaw();
  server.Stop();
  REQUIRE(HasReason(subject.Run(), "connect"));
}

}  // namespace vigia::test
