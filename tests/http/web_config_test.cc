#include "exporter/http/web_config.h"

#include <catch2/catch.hpp>

#include "tests/http/stand.h"

using namespace vigia;
using namespace vigia::http;
using vigia::test::TempDir;

namespace {

// The faults of a web.yml beside a.pem and a.key, with the folder's name left out.
std::string Faults(const std::string& yaml) {
  static const TempDir* const dir = [] {
    static TempDir folder;
    MakeCertificate(folder, "a");
    MakeCertificate(folder, "b");
    return &folder;
  }();
  dir->Write("web.yml", yaml);
  config::Diagnostics diagnostics("web.yml");
  const auto web = LoadWebConfig(dir->path() / "web.yml", diagnostics);
  std::string text = diagnostics.ToString();
  const std::string folder = dir->path().string() + "/";
  for (std::size_t at; (at = text.find(folder)) != std::string::npos;)
    text.erase(at, folder.size());
  return text;
}

std::string TlsFaults(const std::string& options) {
  return Faults("tls_server_config: { cert_file: a.pem, key_file: a.key, " + options + " }\n");
}

}  // namespace

TEST_CASE("every key of the web configuration is understood", "[http]") {
  CHECK(Faults("") == "");
  CHECK(Faults("tls_server_config:\nhttp_server_config:\nbasic_auth_users:\nrate_limit:\n") == "");
  CHECK(Faults("http_server_config:\n  headers:\n") == "");
  CHECK(Faults("tls_server_config:\n"
               "  cert_file: a.pem\n"
               "  key_file: a.key\n"
               "  client_ca_file: a.pem\n"
               "  client_auth_type: RequireAndVerifyClientCert\n"
               "  client_allowed_sans: [ prometheus.example ]\n"
               "  min_version: TLS12\n"
               "  max_version: TLS13\n"
               "  cipher_suites: [ TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 ]\n"
               "  curve_preferences: [ X25519, CurveP256 ]\n"
               "  prefer_server_cipher_suites: true\n"
               "http_server_config:\n"
               "  http2: true\n"
               "  headers:\n"
               "    Strict-Transport-Security: max-age=1\n"
               "    X-Content-Type-Options: nosniff\n"
               "    X-Frame-Options: deny\n"
               "    X-XSS-Protection: '0'\n"
               "    Content-Security-Policy: default-src 'none'\n"
               "rate_limit: { interval: 1m0.5s, burst: 10 }\n") == "");
  for (const std::string type : {"NoClientCert", "RequestClientCert", "RequireAnyClientCert",
                                 "RequireClientCert", "VerifyClientCertIfGiven"}) {
    CHECK(TlsFaults("client_auth_type: " + type) == "");
  }
}

TEST_CASE("faults of the web configuration say what would be right", "[http]") {
  CHECK(Faults("tls_sever_config: {}\n") ==
        "web.yml:1:1: unknown key 'tls_sever_config', did you mean 'tls_server_config'?\n");
  CHECK(Faults("tls_server_config: { cert_file: a.pem }\n") ==
        "web.yml:1:20: tls_server_config: the key 'key_file' is missing: TLS needs certificate and "
        "key\n");
  CHECK(Faults("tls_server_config: { cert_file: none.pem, key_file: a.key }\n") ==
        "web.yml:1:22: cert_file: none.pem: No such file or directory\n");
  CHECK(Faults("tls_server_config: { cert_file: a.pem, key_file: b.key }\n") ==
        "web.yml:1:20: tls_server_config: the key does not belong to the certificate: key values "
        "mismatch\n");
  CHECK(Faults("tls_server_config: { cert_file: a.key, key_file: a.key }\n") ==
        "web.yml:1:20: tls_server_config: the certificate is not in PEM format\n");
  CHECK(TlsFaults("cert: x") ==
        "web.yml:1:22: cert_file: stands beside cert; write one of the two\n");
  CHECK(TlsFaults("client_auth_type: Always") ==
        "web.yml:1:75: client_auth_type: 'Always' is not one of NoClientCert, RequestClientCert, "
        "RequireAnyClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert, "
        "RequireClientCert\n");
  CHECK(TlsFaults("client_ca_file: a.pem") ==
        "web.yml:1:57: client_ca_file: needs a client_auth_type, such as "
        "RequireAndVerifyClientCert\n");
  CHECK(TlsFaults("client_auth_type: RequestClientCert, client_allowed_sans: [ a ]") ==
        "web.yml:1:94: client_allowed_sans: needs a client_auth_type that requires a certificate: "
        "RequireAnyClientCert or RequireAndVerifyClientCert\n");
  CHECK(TlsFaults("min_version: TLS14") ==
        "web.yml:1:70: min_version: 'TLS14' is not one of TLS10, TLS11, TLS12, TLS13; did you mean "
        "'TLS10'?\n");
  CHECK(TlsFaults("min_version: TLS13, max_version: TLS12") ==
        "web.yml:1:20: tls_server_config: max_version is below min_version\n");
  CHECK(TlsFaults("cipher_suites: [ RC4 ]") == "web.yml:1:57: cipher_suites: 'RC4' is not known\n");
  CHECK(TlsFaults("max_version: TLS12, cipher_suites: [ TLS_AES_128_GCM_SHA256 ]") ==
        "web.yml:1:20: tls_server_config: cipher_suites: none of them works below TLS13\n");
  CHECK(TlsFaults("curve_preferences: P256") ==
        "web.yml:1:57: curve_preferences: 'P256' is not known\n");
  CHECK(Faults("http_server_config: { headers: { X-Other: a } }\n") ==
        "web.yml:1:23: headers: the header 'X-Other' cannot be set; those that can are "
        "Strict-Transport-Security, X-Content-Type-Options, X-Frame-Options, X-XSS-Protection and "
        "Content-Security-Policy\n");
  CHECK(Faults("http_server_config: { headers: { X-Frame-Options: ALLOW } }\n") ==
        "web.yml:1:23: headers: X-Frame-Options cannot be 'ALLOW', but deny or sameorigin\n");
  CHECK(Faults("basic_auth_users:\n  alice: secret\n") ==
        "web.yml:1:1: basic_auth_users: the password of 'alice' is not a bcrypt hash; make one "
        "with htpasswd -nBC 10 alice\n");
  CHECK(Faults("rate_limit: { interval: 5 minutes }\n") ==
        "web.yml:1:15: interval: '5 minutes' is not a duration such as 10ms or 1.5s\n");
  CHECK(Faults("rate_limit: { interval: 1s }\n") ==
        "web.yml:1:13: burst: has to be at least 1, or every request is refused\n");
}

TEST_CASE("what the web configuration says and this server does not do is noted", "[http]") {
  const TempDir dir;
  dir.Write("web.yml", "http_server_config: { http2: true }\n");
  config::Diagnostics diagnostics("web.yml");
  const auto web = LoadWebConfig(dir.path() / "web.yml", diagnostics);
  CHECK(web.notes == std::vector<std::string>{"http2 is not served: HTTP/1.1 is"});
}
