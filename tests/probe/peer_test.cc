// The real blackbox_exporter beside our probes: the same modules, the same targets; it has to find
// its series in ours, with the same values.

#include <catch2/catch.hpp>
#include <iomanip>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "collectors/probe/runner.h"
#include "core/config/yaml.h"
#include "tests/probe/certificate.h"
#include "tests/probe/grpc_server.h"
#include "tests/probe/line_stub.h"
#include "tests/support/collect.h"
#include "tests/support/http_client.h"
#include "tests/support/http_stub.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace vigia::test {
namespace {

using namespace std::string_literals;
using collectors::probe::Module;

const std::string kProgram = "prometheus-blackbox-exporter";

std::string Encoded(const std::string& text) {
  std::ostringstream out;
  out << std::hex << std::setfill('0');
  for (const char c : text) {
    out << '%' << std::setw(2) << static_cast<int>(static_cast<unsigned char>(c));
  }
  return out.str();
}

// Series and their values, without those that time decides.
std::map<std::string, double> Series(const std::string& page) {
  std::map<std::string, double> series;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    const auto space = line.find_last_of(' ');
    auto name = line.substr(0, space);
    // A label of versions later than Debian's.
    constexpr std::string_view kSerial = ",serialnumber=\"1234\"";
    if (const auto at = name.find(kSerial); at != name.npos) name.erase(at, kSerial.size());
    const bool time =
        name.find("duration_seconds") != name.npos || name.find("lookup_time_seconds") != name.npos;
    series[name] = time ? 0 : std::stod(line.substr(space + 1));
  }
  return series;
}

class Peer {
 public:
  explicit Peer(const std::string& modules) : port_(FreePort()) {
    dir_.Write("blackbox.yml", modules);
    process_.emplace(std::vector<std::string>{kProgram, "--config.file",
                                              dir_.path() / "blackbox.yml", "--web.listen-address",
                                              "127.0.0.1:" + std::to_string(port_)});
    for (int i = 0; i < 100 && Get(port_, "/-/healthy").status != 200; ++i) {
      RunProgram({"sleep", "0.1"});
    }
    config::Diagnostics diagnostics("blackbox.yml");
    const auto node = config::ParseYaml(modules, {}, diagnostics);
    ours_ = collectors::probe::ReadModules(node, diagnostics);
    INFO(diagnostics.ToString());
    REQUIRE(diagnostics.ok());
  }

  std::string Theirs(const std::string& module, const std::string& target) const {
    return Get(port_, "/probe?module=" + module + "&target=" + Encoded(target)).body;
  }

  std::string Ours(const std::string& module, const std::string& target) const {
    const auto deadline = Deadline::After(SystemClock(), 5s);
    const auto observation = collectors::probe::ProbeOnce(
        ours_.at(module), {.target = target, .deadline = deadline}, {});
    Batch batch;
    observation.AddTo(batch, {});
    return ReadingText(*batch.Finish(0));
  }

  // Fails unless each of their series is among ours with the same value. `own`: of these the value
  // is each client's own. `theirs_alone`: we have no such series, on purpose.
  void Compare(const std::string& module, const std::string& target,
               const std::set<std::string>& own = {},
               const std::set<std::string>& theirs_alone = {}) const {
    const auto theirs = Theirs(module, target);
    const auto ours = Ours(module, target);
    INFO(module << " " << target << "\n" << theirs << "\n" << ours);
    const auto found = Series(ours);
    const auto expected = Series(theirs);
    REQUIRE(expected.size() > 4);
    for (const auto& [series, value] : expected) {
      INFO(series);
      if (theirs_alone.contains(series)) continue;
      REQUIRE(found.contains(series));
      if (!own.contains(series)) REQUIRE(found.at(series) == Approx(value));
    }
  }

 private:
  const int port_;
  TempDir dir_;
  std::optional<Process> process_;
  std::map<std::string, Module> ours_;
};

bool Available() {
  if (HasProgram(kProgram)) return true;
  WARN("SKIPPED: " << kProgram << " is not installed");
  return false;
}

}  // namespace

TEST_CASE("http probes agree with blackbox_exporter's", "[probe]") {
  if (!Available()) return;
  HttpStub stub;
  stub.Answer("/", {.headers = {{"X-Version", "7"}}, .body = "hello"});
  stub.Answer("/down", {.status = 500, .body = "no"});
  stub.Answer("/packed", {.body = "hello", .gzip = true});
  stub.Answer("/one", {.status = 302, .headers = {{"Location", "/two"}}});
  stub.Answer("/two", {.status = 301, .headers = {{"Location", "/"}}});
  stub.Answer("/loop", {.status = 302, .headers = {{"Location", "/loop"}}});
  const Peer peer(
      "modules:\n"
      "  plain: { prober: http, timeout: 4s }\n"
      "  ip4: { prober: http, http: { preferred_ip_protocol: ip4, ip_protocol_fallback: false } }\n"
      "  goodbye: { prober: http, http: { fail_if_body_not_matches_regexp: [ goodbye ] } }\n"
      "  version: { prober: http, http: { fail_if_header_not_matches: [ { header: X-Version, "
      "regexp: ^8$ } ] } }\n"
      "  no_content: { prober: http, http: { valid_status_codes: [ 500 ] } }\n"
      "  http2: { prober: http, http: { valid_http_versions: [ HTTP/2.0 ] } }\n"
      "  gzip: { prober: http, http: { compression: gzip, headers: { Accept-Encoding: gzip } } }\n"
      "  not_ssl: { prober: http, http: { fail_if_not_ssl: true } }\n");
  for (const auto& [module, path] : std::vector<std::pair<std::string, std::string>>{
           {"plain", "/"},
           {"plain", "/down"},
           {"plain", "/one"},
           {"ip4", "/"},
           {"goodbye", "/"},
           {"version", "/"},
           {"version", "/down"},
           {"no_content", "/down"},
           {"no_content", "/"},
           {"http2", "/"},
           {"gzip", "/packed"},
           {"not_ssl", "/"},
       }) {
    peer.Compare(module, stub.Url(path));
  }
  peer.Compare("plain", "127.0.0.1:" + std::to_string(stub.port()));
  peer.Compare("plain", "http://127.0.0.1:" + std::to_string(FreePort()) + "/");
  for (const auto& page :
       {peer.Ours("plain", stub.Url("/loop")), peer.Theirs("plain", stub.Url("/loop"))}) {
    REQUIRE(Series(page).at("probe_success") == 0);
  }
}

TEST_CASE("https probes agree with blackbox_exporter's", "[probe]") {
  if (!Available() || !HasProgram("openssl")) return;
  const Certificate certificate;
  const TlsServer server(certificate);
  const auto trust = "tls_config: { ca_file: " + certificate.cert_file() + " }";
  const Peer peer("modules:\n  trusted: { prober: http, http: { preferred_ip_protocol: ip4, " +
                  trust +
                  " } }\n  stranger: { prober: http, http: { preferred_ip_protocol: ip4 } }\n"
                  "  any: { prober: http, http: { preferred_ip_protocol: ip4, fail_if_ssl: true, "
                  "tls_config: { insecure_skip_verify: true } } }\n"
                  "  tls: { prober: tcp, tcp: { tls: true, preferred_ip_protocol: ip4, " +
                  trust + " } }\n");
  const auto address = "localhost:" + std::to_string(server.port());
  // The server's page tells the client which ciphers it has offered.
  peer.Compare("trusted", "https://" + address + "/", {"probe_http_uncompressed_body_length"});
  peer.Compare("tls", address);
  for (const auto& page :
       {peer.Ours("stranger", "https://" + address), peer.Theirs("stranger", "https://" + address),
        peer.Ours("any", "https://" + address), peer.Theirs("any", "https://" + address)}) {
    REQUIRE(Series(page).at("probe_success") == 0);
  }
}

TEST_CASE("grpc probes agree with blackbox_exporter's", "[probe]") {
  if (!Available() || !GrpcServer::Available()) return;
  const GrpcServer plain;
  const Certificate certificate;
  const GrpcServer secure(certificate);
  const Peer peer(
      "modules:\n"
      "  whole: { prober: grpc, timeout: 4s, grpc: { preferred_ip_protocol: ip4 } }\n"
      "  down: { prober: grpc, grpc: { service: down, preferred_ip_protocol: ip4 } }\n"
      "  nobody: { prober: grpc, grpc: { service: nobody, preferred_ip_protocol: ip4 } }\n"
      "  tls: { prober: grpc, timeout: 4s, grpc: { tls: true, preferred_ip_protocol: ip4, "
      "tls_config: { ca_file: " +
      certificate.cert_file() + " } } }\n");
  // Of a connection in the clear, which has no certificate, theirs says 0.
  const std::set<std::string> none{"probe_ssl_earliest_cert_expiry"};
  for (const std::string module : {"whole", "down", "nobody"}) {
    peer.Compare(module, plain.address(), {}, none);
  }
  peer.Compare("whole", "127.0.0.1:" + std::to_string(FreePort()), {}, none);
  peer.Compare("tls", "localhost" + secure.address().substr(secure.address().rfind(':')));
}

TEST_CASE("tcp, dns and icmp probes agree with blackbox_exporter's", "[probe]") {
  if (!Available()) return;
  const LineStub banner(
      std::vector<LineStep>{{.send = "SSH-2.0-OpenSSH_9.2\r\n", .await = "SSH-2.0-check"}});
  const std::string a = "\xC0\x0C\x00\x01\x00\x01\x00\x00\x01\x2C\x00\x04\xC0\x00\x02\x07"s;
  const DnsStub one(0, {1, 0, 0}, a);
  const DnsStub none(0, {0, 0, 0}, "");
  const DnsStub refuses(5, {0, 0, 0}, "");
  const std::string query = "query_name: example.com, query_type: A";
  const auto rules = [&](const std::string& text) {
    return "{ prober: dns, timeout: 2s, dns: { " + query + ", validate_answer_rrs: { " + text +
           " } } }\n";
  };
  const Peer peer(
      "modules:\n"
      "  connect: { prober: tcp }\n"
      "  ssh: { prober: tcp, timeout: 1s, tcp: { query_response: [ { expect: '^SSH-2.0-(.*)$', "
      "send: SSH-2.0-check } ] } }\n"
      "  other: { prober: tcp, timeout: 1s, tcp: { query_response: [ { expect: '^220' } ] } }\n"
      "  a: { prober: dns, dns: { " +
      query +
      " } }\n"
      "  soa: { prober: dns, dns: { query_name: example.com, query_type: SOA } }\n"
      "  refused: { prober: dns, dns: { " +
      query +
      ", valid_rcodes: [ REFUSED ] } }\n  bad: " + rules("fail_if_matches_regexp: [ '192' ]") +
      "  good: " + rules("fail_if_not_matches_regexp: [ '^example.com.\\t300\\tIN\\tA\\t192' ]") +
      "  no_good: " + rules("fail_if_not_matches_regexp: [ '193' ]") +
      "  some: " + rules("fail_if_none_matches_regexp: [ '193', '192' ]") +
      "  ping: { prober: icmp }\n"
      "  ping1: { prober: icmp, icmp: { payload_size: 1, ttl: 9 } }\n");
  peer.Compare("connect", banner.address());
  peer.Compare("connect", "127.0.0.1:" + std::to_string(FreePort()));
  peer.Compare("ssh", banner.address());
  for (const std::string module : {"a", "refused", "bad", "good", "no_good", "some"}) {
    for (const auto* stub : {&one, &none, &refuses}) peer.Compare(module, stub->address());
  }
  for (const std::string module : {"ping", "ping1"}) {
    if (Series(peer.Theirs(module, "127.0.0.1")).at("probe_success") == 1) {
      peer.Compare(module, "127.0.0.1");
    }
  }
}

}  // namespace vigia::test
