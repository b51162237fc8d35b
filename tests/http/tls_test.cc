// TLS as clients see it: curl and openssl s_client against a running server.

#include <catch2/catch.hpp>

#include "tests/http/stand.h"
#include "tests/support/http_client.h"
#include "tests/support/process.h"

using namespace vigia;
using namespace vigia::http;
using vigia::test::RunProgram;
using vigia::test::TempDir;

namespace {

// A server with a certificate of its own authority, and `options` in its tls_server_config.
class TlsStand {
 public:
  explicit TlsStand(const std::string& options, const Clock& clock = SystemClock()) {
    MakeCertificate(dir, "ca");
    MakeCertificate(dir, "server", "ca");
    dir.Write("web.yml",
              "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n" + options);
    gate = OpenGate(dir, clock);
    Router router;
    router.Get("/", [](const Request& request) {
      return Response::Text(200, (request.tls ? "secured " : "plain ") + request.user + "\n");
    });
    router.Get("/large",
               [](const Request&) { return Response::Text(200, std::string(5'000'000, 'x')); });
    stand.emplace(std::move(router), Behind(*gate));
  }

  // What curl prints, or "error" and its exit code.
  std::string Curl(std::vector<std::string> options = {}, const std::string& path = "/",
                   const std::string& authority = "ca") const {
    std::vector<std::string> command{"curl", "-sS",      "--max-time",
                                     "60",   "--cacert", dir.path() / (authority + ".pem")};
    command.insert(command.end(), options.begin(), options.end());
    command.push_back("https://127.0.0.1:" + std::to_string(stand->port) + path);
    const auto done = RunProgram(command);
    return done.exit_code == 0 ? done.output : "error " + std::to_string(done.exit_code);
  }
  std::string CurlAs(const std::string& name) const {
    return Curl({"--cert", dir.path() / (name + ".pem"), "--key", dir.path() / (name + ".key")});
  }
  // Whether a handshake of openssl s_client with these options succeeds.
  bool ShakesHands(std::vector<std::string> options) const {
    std::vector<std::string> command{"timeout",  "60",
                                     "openssl",  "s_client",
                                     "-connect", "127.0.0.1:" + std::to_string(stand->port)};
    command.insert(command.end(), options.begin(), options.end());
    return RunProgram(command).exit_code == 0;
  }

  TempDir dir;
  std::unique_ptr<Gate> gate;
  std::optional<Stand> stand;
};

bool IsError(const std::string& output) { return output.starts_with("error "); }

}  // namespace

TEST_CASE("pages are served encrypted", "[http]") {
  const TlsStand stand("");
  CHECK(stand.Curl() == "secured \n");
  CHECK(stand.Curl({}, "/large").size() == 5'000'000);
  // Both requests on one connection.
  CHECK(stand.Curl({"https://127.0.0.1:" + std::to_string(stand.stand->port) + "/"}) ==
        "secured \nsecured \n");
  CHECK(IsError(stand.Curl({"--tls-max", "1.1"})));
}

TEST_CASE("each client_auth_type asks for what it says", "[http]") {
  struct Row {
    std::string type;
    bool without;       // whether a client without certificate is let in
    std::string known;  // the user that a certificate of the authority makes
    bool unknown;       // whether another certificate is let in
  };
  const Row row =
      GENERATE(Row{"NoClientCert", true, "", true}, Row{"RequestClientCert", true, "", true},
               Row{"RequireAnyClientCert", false, "", true},
               Row{"VerifyClientCertIfGiven", true, "/CN=client", false},
               Row{"RequireAndVerifyClientCert", false, "/CN=client", false});
  INFO(row.type);
  std::string options = "  client_auth_type: " + row.type + "\n";
  if (row.type != "NoClientCert") options += "  client_ca_file: ca.pem\n";
  const TlsStand stand(options);
  MakeCertificate(stand.dir, "client", "ca");
  MakeCertificate(stand.dir, "stranger");
  CHECK(IsError(stand.Curl()) == !row.without);
  CHECK(stand.CurlAs("client") == "secured " + row.known + "\n");
  CHECK(IsError(stand.CurlAs("stranger")) == !row.unknown);
}

TEST_CASE("client certificates need an allowed name", "[http]") {
  const TlsStand stand(
      "  client_auth_type: RequireAndVerifyClientCert\n"
      "  client_ca_file: ca.pem\n"
      "  client_allowed_sans: [ prometheus.example, 10.1.2.3, ops@example.org, spiffe://a/b ]\n");
  for (const std::string name :
       {"DNS:prometheus.example", "IP:10.1.2.3", "email:ops@example.org", "URI:spiffe://a/b"}) {
    MakeCertificate(stand.dir, "good", "ca", name);
    CHECK(stand.CurlAs("good") == "secured /CN=good\n");
  }
  MakeCertificate(stand.dir, "bad", "ca", "DNS:grafana.example");
  CHECK(IsError(stand.CurlAs("bad")));
  // The right name from the wrong authority.
  MakeCertificate(stand.dir, "forged", "", "DNS:prometheus.example");
  CHECK(IsError(stand.CurlAs("forged")));
}

TEST_CASE("versions and ciphers are bounded as configured", "[http]") {
  SECTION("TLS 1.3 only") {
    const TlsStand stand("  min_version: TLS13\n");
    CHECK(stand.Curl() == "secured \n");
    CHECK(IsError(stand.Curl({"--tls-max", "1.2"})));
  }
  SECTION("no TLS 1.3") {
    const TlsStand stand("  max_version: TLS12\n");
    CHECK(stand.Curl() == "secured \n");
    CHECK(IsError(stand.Curl({"--tlsv1.3"})));
  }
  SECTION("TLS 1.1 where it is asked for") {
    const TlsStand stand("  min_version: TLS11\n");
    CHECK(stand.ShakesHands({"-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"}));
    CHECK_FALSE(stand.ShakesHands({"-tls1", "-cipher", "DEFAULT:@SECLEVEL=0"}));
  }
  SECTION("one cipher") {
    const TlsStand stand("  cipher_suites: [ TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 ]\n");
    CHECK(stand.ShakesHands({"-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"}));
    CHECK_FALSE(stand.ShakesHands({"-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"}));
  }
  SECTION("one curve") {
    const TlsStand stand("  curve_preferences: [ CurveP384 ]\n");
    CHECK(stand.ShakesHands({"-groups", "P-384"}));
    CHECK_FALSE(stand.ShakesHands({"-groups", "X25519"}));
  }
}

TEST_CASE("a new certificate serves new connections without a restart", "[http]") {
  ManualClock clock;
  const TlsStand stand("", clock);
  CHECK(stand.Curl() == "secured \n");

  // A certificate without its key is a broken configuration: the old one stays.
  MakeCertificate(stand.dir, "new-ca");
  MakeCertificate(stand.dir, "new", "new-ca");
  stand.dir.Write("server.pem", stand.dir.Read("new.pem"));
  clock.Advance(1s);
  CHECK(stand.Curl() == "secured \n");

  stand.dir.Write("server.key", stand.dir.Read("new.key"));
  clock.Advance(1s);
  CHECK(IsError(stand.Curl()));
  CHECK(stand.Curl({}, "/", "new-ca") == "secured \n");
}

TEST_CASE("TLS is not switched off while the server runs", "[http]") {
  const TempDir dir;
  MakeCertificate(dir, "server");
  const std::string with_tls =
      "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n";
  dir.Write("web.yml", with_tls);
  ManualClock clock;
  std::vector<std::string> reports;
  const auto gate =
      OpenGate(dir, clock, {.report = [&](std::string_view text) { reports.emplace_back(text); }});
  dir.Write("web.yml", "basic_auth_users:\n");
  clock.Advance(1s);
  gate->HeaderLines();
  REQUIRE(reports.size() == 1);
  CHECK(reports[0] ==
        (dir.path() / "web.yml").string() + ": TLS is switched on or off only by a restart");
}

TEST_CASE("bytes that are no handshake harm nothing", "[http]") {
  const TlsStand stand("");
  for (const std::string bytes : {"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\xff\xff", "\0\0\0\0"}) {
    const test::RawConnection client(stand.stand->port);
    client.Send(bytes);
    client.ReadAll(200ms);
  }
  CHECK(stand.Curl() == "secured \n");
}
