#include "exporter/http/gate.h"

#include <crypt.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "tests/support/http_client.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

using namespace vigia;
using namespace vigia::http;
using namespace vigia::test;

namespace {

// Cost 4, to keep the tests quick.
std::string Bcrypt(const std::string& password) {
  crypt_data data{};
  return ::crypt_r(password.c_str(), "$2b$04$abcdefghijklmnopqrstuu", &data);
}

std::string Faults(const std::string& yaml) {
  const TempDir dir;
  dir.Write("web.yml", yaml);
  config::Diagnostics diagnostics("web.yml");
  LoadWebConfig(dir.path() / "web.yml", diagnostics);
  return diagnostics.ToString();
}

std::unique_ptr<Gate> OpenGate(const Clock& clock, const TempDir& dir,
                               RateLimiter::Limit limit = {}) {
  auto gate = Gate::Open(
      clock,
      {.web_config = dir.path() / "web.yml", .pem_file = dir.path() / "pem", .limit = limit});
  REQUIRE(gate.has_value());
  return *std::move(gate);
}

int Admit(Gate& gate, const std::string& authorization, const std::string& client = "10.0.0.1") {
  Request request;
  request.remote_address = client;
  if (!authorization.empty()) request.headers.emplace_back("authorization", authorization);
  const auto refusal = gate.Admit(request);
  return refusal ? refusal->status : 200;
}

// A self-signed certificate for 127.0.0.1 in dir: cert.pem, key.pem.
void MakeCertificate(const TempDir& dir, const std::string& name = "localhost") {
  REQUIRE(
      RunProgram({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                  dir.path() / "key.pem", "-out", dir.path() / "cert.pem", "-days", "2", "-subj",
                  "/CN=" + name, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"})
          .exit_code == 0);
}

}  // namespace

TEST_CASE("web configuration faults say what would be right", "[http]") {
  REQUIRE(Faults("tls_server_config: { cert_file: a, key_file: b }\n") == "");
  REQUIRE(Faults("tls_server_config: { cert_file: a }\n") ==
          "web.yml:1:20: key_file: write one of key_file and key\n");
  REQUIRE(Faults("basic_auth_users:\n  alice: secret\n") ==
          "web.yml:1:1: basic_auth_users: the password of 'alice' is not a bcrypt hash; "
          "`htpasswd -nBC 10 USER` makes one\n");
  REQUIRE(Faults("tls_sever_config: {}\n") ==
          "web.yml:1:1: unknown key 'tls_sever_config' in the web configuration, did you mean "
          "'tls_server_config'?\n");
  REQUIRE(Faults("tls_server_config: { cert_file: a, key_file: b, client_auth_type: "
                 "RequireAnyClientCert }\n")
              .find("does not ask for certificates without verifying") != std::string::npos);
  REQUIRE(Faults("tls_server_config: { cert_file: a, key_file: b, client_allowed_sans: [x] }\n")
              .find("client_allowed_sans: is not supported") != std::string::npos);
  REQUIRE(Faults("http_server_config: { headers: { X-Other: a } }\n")
              .find("the header 'X-Other' cannot be set") != std::string::npos);
}

TEST_CASE("users are let in with their password only", "[http]") {
  const TempDir dir;
  dir.Write("web.yml", "basic_auth_users:\n  alice: " + Bcrypt("wonder") + "\n");
  ManualClock clock;
  const auto gate = OpenGate(clock, dir);
  REQUIRE(Admit(*gate, "") == 401);
  REQUIRE(Admit(*gate, "Basic YWxpY2U6d29uZGVy") == 200);  // alice:wonder
  REQUIRE(Admit(*gate, "Basic YWxpY2U6d29uZGVy") == 200);  // remembered
  REQUIRE(Admit(*gate, "Basic YWxpY2U6d3Jvbmc=") == 401);  // alice:wrong
  REQUIRE(Admit(*gate, "Basic Ym9iOndvbmRlcg==") == 401);  // bob:wonder
  REQUIRE(Admit(*gate, "Basic !!!!") == 401);
  REQUIRE(Admit(*gate, "Bearer x") == 401);
}

TEST_CASE("a flood of wrong passwords is turned away and does not lock out a known user",
          "[http]") {
  const TempDir dir;
  dir.Write("web.yml", "basic_auth_users:\n  alice: " + Bcrypt("wonder") + "\n");
  ManualClock clock;
  const auto gate = OpenGate(clock, dir);
  REQUIRE(Admit(*gate, "Basic YWxpY2U6d29uZGVy") == 200);
  std::atomic<int> busy = 0;
  std::vector<std::thread> attackers;
  for (int i = 0; i < 40; ++i) {
    // bob:wonder: an unknown user costs a full bcrypt.
    attackers.emplace_back([&] { busy += Admit(*gate, "Basic Ym9iOndvbmRlcg==") == 429; });
  }
  REQUIRE(Admit(*gate, "Basic YWxpY2U6d29uZGVy") == 200);
  for (auto& attacker : attackers) attacker.join();
  REQUIRE(busy > 0);
}

TEST_CASE("a client over its rate is told when to come back", "[http]") {
  const TempDir dir;
  dir.Write("web.yml", "http_server_config: { http2: false }\n");
  ManualClock clock;
  const auto gate = OpenGate(clock, dir, {.rate = 0.5, .burst = 2});
  REQUIRE(Admit(*gate, "") == 200);
  REQUIRE(Admit(*gate, "") == 200);
  Request request;
  request.remote_address = "10.0.0.1";
  const auto refusal = gate->Admit(request);
  REQUIRE(refusal->status == 429);
  REQUIRE(refusal->headers.back() == std::pair<std::string, std::string>("retry-after", "2"));
  REQUIRE(Admit(*gate, "", "10.0.0.2") == 200);  // another client
  REQUIRE(Admit(*gate, "", "127.0.0.1") == 200);
  clock.Advance(2s);
  REQUIRE(Admit(*gate, "") == 200);
  REQUIRE(Admit(*gate, "") == 429);
}

TEST_CASE("the web configuration is read again when it changes and kept when it breaks", "[http]") {
  const TempDir dir;
  dir.Write("web.yml", "basic_auth_users:\n  alice: " + Bcrypt("wonder") + "\n");
  ManualClock clock;
  const auto gate = OpenGate(clock, dir);
  dir.Write("web.yml", "basic_auth_users: [broken\n");
  clock.Advance(2s);
  REQUIRE(Admit(*gate, "Basic YWxpY2U6d29uZGVy") == 200);
  dir.Write("web.yml", "basic_auth_users:\n  bob: " + Bcrypt("wonder") + "\n");
  clock.Advance(2s);
  REQUIRE(Admit(*gate, "Basic YWxpY2U6d29uZGVy") == 401);
  REQUIRE(Admit(*gate, "Basic Ym9iOndvbmRlcg==") == 200);
}

TEST_CASE("TLS is served to curl and client certificates are verified", "[http]") {
  if (!HasProgram("curl") || !HasProgram("openssl")) {
    WARN("SKIPPED: curl or openssl is not installed");
    return;
  }
  const TempDir dir;
  MakeCertificate(dir);
  const bool mutual = GENERATE(false, true);
  dir.Write("web.yml",
            std::string("tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n") +
                (mutual ? "  client_auth_type: RequireAndVerifyClientCert\n"
                          "  client_ca_file: cert.pem\n"
                        : ""));
  const auto gate = OpenGate(SystemClock(), dir);
  Router router;
  router.Get("/", [](const Request& request) {
    return Response::Text(200, request.tls ? "secured\n" : "plain\n");
  });
  Server::Options options;
  options.listen = {"127.0.0.1:0"};
  options.workers = 8;
  options.tls = gate->tls();
  const auto server = Server::Start(std::move(router), std::move(options));
  REQUIRE(server.has_value());
  const std::string url = "https://" + (*server)->addresses()[0] + "/";

  const std::string ca = dir.path() / "cert.pem";
  const auto plain = RunProgram({"curl", "-sS", "--max-time", "20", "--cacert", ca, url});
  if (mutual) {
    REQUIRE(plain.exit_code != 0);
    REQUIRE(RunProgram({"curl", "-sS", "--max-time", "20", "--cacert", ca, "--cert", ca, "--key",
                        dir.path() / "key.pem", url})
                .output == "secured\n");
  } else {
    REQUIRE(plain.output == "secured\n");
    REQUIRE(RunProgram({"curl", "-sS", "--max-time", "20", "--tls-max", "1.1", "--cacert", ca, url})
                .exit_code != 0);
  }
}
