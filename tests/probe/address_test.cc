// Which address a probe goes to, and which it comes from.

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <array>
#include <optional>

#include "tests/probe/certificate.h"
#include "tests/probe/line_stub.h"
#include "tests/probe/subject.h"
#include "tests/support/http_client.h"
#include "tests/support/http_stub.h"

namespace vigia::test {
namespace {

bool HasReason(const std::string& page, const std::string& reason) {
  return page.find("reason=\"" + reason + "\"") != std::string::npos;
}

// Whether "localhost" has an address of IPv6 on this machine.
bool LocalhostHasIp6() {
  addrinfo hints{};
  hints.ai_family = AF_INET6;
  addrinfo* found = nullptr;
  const bool has = ::getaddrinfo("localhost", nullptr, &hints, &found) == 0;
  if (found) ::freeaddrinfo(found);
  return has;
}

// What the kernel sends to loopback as ICMP, with its IP header; needs CAP_NET_RAW.
class Sniffer {
 public:
  Sniffer() : socket_(::socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMP)) {}
  ~Sniffer() {
    if (socket_ >= 0) ::close(socket_);
  }
  Sniffer(const Sniffer&) = delete;
  Sniffer& operator=(const Sniffer&) = delete;

  bool permitted() const { return socket_ >= 0; }
  // The header of the first echo request with `payload` bytes.
  std::optional<iphdr> Request(std::size_t payload) const {
    std::array<char, 65536> bytes{};
    while (true) {
      const ssize_t size = ::recv(socket_, bytes.data(), bytes.size(), 0);
      if (size < 28) return std::nullopt;
      iphdr header{};
      std::copy_n(bytes.data(), sizeof header, reinterpret_cast<char*>(&header));
      if (bytes[20] == 8 && static_cast<std::size_t>(size) == 28 + payload) return header;
    }
  }

 private:
  const int socket_;
};

}  // namespace

TEST_CASE("the IP version is chosen as blackbox_exporter chooses it", "[probe]") {
  HttpStub stub;
  stub.Answer("/", {.body = "fine"});
  const auto port = std::to_string(stub.port());
  struct Case {
    std::string host;
    std::string options;
    std::string protocol;  // empty: the look-up fails
  };
  std::vector<Case> cases{
      {"localhost", "preferred_ip_protocol: ip4", "4"},
      {"localhost", "preferred_ip_protocol: ip4, ip_protocol_fallback: false", "4"},
      {"127.0.0.1", "preferred_ip_protocol: ip6", "4"},
      {"127.0.0.1", "preferred_ip_protocol: ip6, ip_protocol_fallback: false", ""},
      {"127.0.0.1", "ip_protocol_fallback: false", ""},
  };
  if (!LocalhostHasIp6()) {
    cases.push_back({"localhost", "preferred_ip_protocol: ip6", "4"});
    cases.push_back({"localhost", "preferred_ip_protocol: ip6, ip_protocol_fallback: false", ""});
  }
  for (const auto& one : cases) {
    for (const std::string kind : {"http", "tcp"}) {
      const auto address = one.host + ":" + port;
      const auto page = ProbeTarget("{ name: x, " + kind + ": \"" +
                                    (kind == "http" ? "http://" + address + "/" : address) +
                                    "\", " + one.options + " }");
      INFO(one.host << " " << kind << " " << one.options << "\n" << page);
      if (one.protocol.empty()) {
        REQUIRE(HasReason(page, "dns"));
        continue;
      }
      REQUIRE(HasLine(page, "probe_success 1"));
      REQUIRE(HasLine(page, "probe_ip_protocol " + one.protocol));
    }
  }
}

TEST_CASE("a redirect's target may have the other IP version", "[probe]") {
  HttpStub stub;
  stub.Answer("/", {.status = 302, .headers = {{"Location", stub.Url("/there")}}});
  stub.Answer("/there", {.body = "fine"});
  const auto page = ProbeTarget("{ http: \"http://localhost:" + std::to_string(stub.port()) +
                                "/\", preferred_ip_protocol: ip4 }");
  INFO(page);
  REQUIRE(HasLine(page, "probe_success 1"));
  REQUIRE(HasLine(page, "probe_http_redirects 1"));
}

TEST_CASE("a TLS target may be a bare address of IPv6", "[probe]") {
  const Certificate certificate;
  const auto page = ProbeTarget("{ name: x, tls: \"::1\", timeout: 2s }");
  INFO(page);
  REQUIRE(HasLine(page, "probe_ip_protocol 6"));  // whether or not anybody listens on port 443
  std::optional<TlsServer> server;
  try {
    server.emplace(certificate, "[::1]");
  } catch (const std::runtime_error&) {
    WARN("SKIPPED: no IPv6 on loopback");
    return;
  }
  for (const std::string kind : {"tls", "http"}) {
    const auto address = "[::1]:" + std::to_string(server->port());
    const auto answer = ProbeTarget("{ name: x, " + kind + ": \"" +
                                    (kind == "http" ? "https://" + address + "/" : address) +
                                    "\", tls_config: { insecure_skip_verify: true } }");
    INFO(answer);
    REQUIRE(HasLine(answer, "probe_success 1"));
    REQUIRE(HasLine(answer, "probe_ip_protocol 6"));
    REQUIRE(ValueOf(answer, "probe_ssl_earliest_cert_expiry") == certificate.expiry());
  }
}

TEST_CASE("a probe comes from the address that it is told", "[probe]") {
  const LineStub stub({});
  const auto probe = [&](const std::string& source) {
    return ProbeTarget("{ name: x, tcp: \"" + stub.address() + "\", source_ip_address: \"" +
                       source + "\" }");
  };
  REQUIRE(HasLine(probe("127.0.0.9"), "probe_success 1"));
  REQUIRE(HasReason(probe("192.0.2.1"), "connect"));  // none of this machine's
  REQUIRE(HasReason(probe("::1"), "connect"));
  REQUIRE(ProbeFaults("targets: [ { tcp: \"x:1\", source_ip_address: here } ]")
              .find("'here' is not an IP address") != std::string::npos);
}

TEST_CASE("an icmp request is sent as configured", "[probe]") {
  const Sniffer sniffer;
  const auto probe = [](const std::string& options) {
    return ProbeTarget("{ name: x, icmp: 127.0.0.1, timeout: 2s, " + options + " }");
  };
  if (HasReason(probe("ttl: 64"), "not_permitted")) {
    WARN("SKIPPED: this process may not send ICMP");
    return;
  }
  // Less than what tells replies apart elsewhere, and the most that a packet carries.
  for (const auto* size : {"1", "15", "28", "1473", "65507"}) {
    const auto page = probe(std::string("payload_size: ") + size);
    INFO(size << "\n" << page);
    REQUIRE(HasLine(page, "probe_success 1"));
  }
  const auto page =
      probe("payload_size: 77, ttl: 9, dont_fragment: true, source_ip_address: 127.0.0.9");
  INFO(page);
  REQUIRE(HasLine(page, "probe_success 1"));
  REQUIRE(HasLine(page, "probe_icmp_reply_hop_limit 64"));
  if (!sniffer.permitted()) {
    WARN("SKIPPED: this process may not see what is sent");
    return;
  }
  const auto sent = sniffer.Request(77);
  REQUIRE(sent);
  REQUIRE(static_cast<int>(sent->ttl) == 9);
  REQUIRE(sent->saddr == htonl(0x7F000009));
  constexpr int kDontFragment = 0x4000;
  REQUIRE((ntohs(sent->frag_off) & kDontFragment) != 0);
}

}  // namespace vigia::test
