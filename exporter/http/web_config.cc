#include "exporter/http/web_config.h"

#include <algorithm>
#include <array>

#include "core/config/reader.h"
#include "core/config/yaml.h"
#include "core/file.h"

namespace vigia::http {
namespace {

// Go's names of the TLS 1.2 suites that Go offers, and OpenSSL's.
constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kCipherSuites{{
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA"},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"},
    {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"},
    {"TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256"},
    {"TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"},
    {"TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA"},
    {"TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA"},
}};

// The headers that exporter-toolkit lets a file set.
constexpr std::array<std::string_view, 5> kHeaderNames{
    "Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options", "X-XSS-Protection",
    "Content-Security-Policy"};

void ReadCiphers(config::MapReader& tls, TlsOptions& options) {
  std::vector<std::string> names;
  if (!tls.Read("cipher_suites", names)) return;
  for (const auto& name : names) {
    const auto* const at = std::find_if(kCipherSuites.begin(), kCipherSuites.end(),
                                        [&](const auto& suite) { return suite.first == name; });
    if (at == kCipherSuites.end()) {
      tls.Fault("cipher_suites", "'" + name + "' is not a TLS 1.2 suite that Go knows");
      continue;
    }
    if (!options.ciphers.empty()) options.ciphers += ':';
    options.ciphers += at->second;
  }
}

void ReadVersions(config::MapReader& tls, TlsOptions& options) {
  constexpr std::array<std::string_view, 4> kVersions{"TLS10", "TLS11", "TLS12", "TLS13"};
  const auto min = tls.ReadChoice("min_version", kVersions, 2);
  if (min < 2) {
    tls.Fault("min_version", "TLS 1.0 and 1.1 are not offered any more; write TLS12 or TLS13");
  }
  options.min_version = min == 3 ? 13 : 12;
  if (tls.ReadChoice("max_version", kVersions, 3) != 3) {
    tls.Fault("max_version", "this server cannot leave out TLS 1.3; write TLS13 or nothing");
  }
}

void ReadClientAuth(config::MapReader& tls, TlsOptions& options) {
  tls.Read("client_ca_file", options.client_ca_file);
  constexpr std::array<std::string_view, 6> kTypes{"NoClientCert",
                                                   "",
                                                   "VerifyClientCertIfGiven",
                                                   "RequireAndVerifyClientCert",
                                                   "RequestClientCert",
                                                   "RequireAnyClientCert"};
  const auto type = tls.ReadChoice("client_auth_type", kTypes, 0);
  if (type >= 4) {
    tls.Fault("client_auth_type",
              "this server does not ask for certificates without verifying them; write "
              "VerifyClientCertIfGiven or RequireAndVerifyClientCert");
  }
  const bool verifies = type == 2 || type == 3;
  if (verifies && options.client_ca_file.empty()) {
    tls.Fault("client_auth_type", "needs client_ca_file to verify certificates with");
  }
  if (!verifies && !options.client_ca_file.empty() && type < 4) {
    tls.Fault("client_ca_file",
              "is not used unless client_auth_type is RequireAndVerifyClientCert or "
              "VerifyClientCertIfGiven");
  }
  options.require_client_certificate = type == 3;
  if (tls.Child("client_allowed_sans")) {
    tls.Fault("client_allowed_sans",
              "is not supported; sign only the certificates that shall be let in");
  }
}

void ReadTls(config::MapReader& file, const std::filesystem::path& folder, WebConfig& web) {
  const config::Node* node = file.Child("tls_server_config");
  if (!node) return;
  config::MapReader tls(*node, file.diagnostics(), "tls_server_config");
  WebConfig::Tls read;
  tls.Read("cert_file", read.cert_file);
  tls.Read("key_file", read.key_file);
  tls.Read("cert", read.cert);
  tls.Read("key", read.key);
  if (read.cert_file.empty() == read.cert.empty()) {
    tls.Fault("cert_file", "write one of cert_file and cert");
  }
  if (read.key_file.empty() == read.key.empty()) {
    tls.Fault("key_file", "write one of key_file and key");
  }
  const auto resolve = [&](std::filesystem::path path) {
    return path.empty() || path.is_absolute() ? path : folder / path;
  };
  read.cert_file = resolve(read.cert_file);
  read.key_file = resolve(read.key_file);
  ReadVersions(tls, read.options);
  ReadCiphers(tls, read.options);
  ReadClientAuth(tls, read.options);
  if (!read.options.client_ca_file.empty()) {
    read.options.client_ca_file = resolve(read.options.client_ca_file).string();
  }
  bool prefer_server = true;  // how OpenSSL 3 and Go decide by now, whatever is asked for
  tls.Read("prefer_server_cipher_suites", prefer_server);
  if (tls.Child("curve_preferences")) {
    tls.Fault("curve_preferences", "is not supported; OpenSSL's order is used");
  }
  tls.Finish();
  web.tls = std::move(read);
}

void ReadHttpServer(config::MapReader& file, WebConfig& web) {
  const config::Node* node = file.Child("http_server_config");
  if (!node) return;
  config::MapReader http(*node, file.diagnostics(), "http_server_config");
  bool http2 = true;  // HTTP/1.1 is all there is; clients settle for it by themselves
  http.Read("http2", http2);
  std::map<std::string, std::string> headers;
  http.Read("headers", headers);
  for (const auto& [name, value] : headers) {
    if (std::find(kHeaderNames.begin(), kHeaderNames.end(), name) == kHeaderNames.end()) {
      http.Fault("headers", "the header '" + name + "' cannot be set");
      continue;
    }
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    web.headers.emplace_back(std::move(lower), value);
  }
  http.Finish();
}

void ReadUsers(config::MapReader& file, WebConfig& web) {
  file.Read("basic_auth_users", web.users);
  for (const auto& [name, hash] : web.users) {
    const bool bcrypt = hash.size() == 60 && hash[0] == '$' && hash[1] == '2' &&
                        (hash[2] == 'a' || hash[2] == 'b' || hash[2] == 'y') && hash[3] == '$';
    if (!bcrypt) {
      file.Fault(
          "basic_auth_users",
          "the password of '" + name + "' is not a bcrypt hash; `htpasswd -nBC 10 USER` makes one");
    }
  }
}

void ReadRateLimit(config::MapReader& file, WebConfig& web) {
  const config::Node* node = file.Child("rate_limit");
  if (!node) return;
  config::MapReader limit(*node, file.diagnostics(), "rate_limit");
  WebConfig::RateLimit read;
  limit.Require("interval", "the time between two requests of a client");
  limit.Read("interval", read.interval);
  limit.Read("burst", read.burst, 1, 1'000'000);
  limit.Finish();
  web.rate_limit = read;
}

}  // namespace

Result<std::string> WebConfig::Pem() const {
  std::string pem = tls->cert;
  if (!tls->cert_file.empty()) {
    auto text = ReadFile(tls->cert_file);
    if (!text) return text;
    pem = *std::move(text);
  }
  pem += '\n';
  if (tls->key_file.empty()) return pem + tls->key;
  auto key = ReadFile(tls->key_file);
  if (!key) return key;
  return pem + *key;
}

WebConfig LoadWebConfig(const std::filesystem::path& path, config::Diagnostics& diagnostics) {
  WebConfig web;
  const auto node = config::LoadYaml(path, {}, diagnostics);
  if (!diagnostics.ok()) return web;
  config::MapReader file(node, diagnostics, "the web configuration");
  ReadTls(file, path.parent_path(), web);
  ReadHttpServer(file, web);
  ReadUsers(file, web);
  ReadRateLimit(file, web);
  file.Finish();
  return web;
}

}  // namespace vigia::http
