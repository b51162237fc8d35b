#include "core/config/http_options.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace vigia::config {

namespace {

// What a client sets itself.
bool IsReserved(std::string name) {
  constexpr std::array<std::string_view, 12> kReserved{"authorization",      "host",
                                                       "content-encoding",   "content-length",
                                                       "content-type",       "user-agent",
                                                       "connection",         "keep-alive",
                                                       "proxy-authenticate", "proxy-authorization",
                                                       "www-authenticate",   "accept-encoding"};
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
}

}  // namespace

void ReadTlsVersions(MapReader& config, HttpTls& tls) {
  constexpr std::array<std::string_view, 5> kNames{"", "TLS10", "TLS11", "TLS12", "TLS13"};
  const auto read = [&](std::string_view key, TlsVersion& version) {
    version = static_cast<TlsVersion>(config.ReadChoice(key, kNames, 0));
  };
  read("min_version", tls.min_version);
  read("max_version", tls.max_version);
  if (tls.max_version == TlsVersion::kDefault) return;
  const auto least = tls.min_version == TlsVersion::kDefault ? TlsVersion::k12 : tls.min_version;
  if (tls.max_version < least) config.Fault("max_version", "is below min_version (TLS12 if unset)");
}

void ReadTlsConfig(MapReader& reader, HttpTls& tls) {
  const Node* const node = reader.Child("tls_config");
  if (!node) return;
  MapReader config(*node, reader.diagnostics(), reader.context() + ".tls_config");
  config.Read("ca_file", tls.ca_file);
  config.Read("cert_file", tls.cert_file);
  config.Read("key_file", tls.key_file);
  config.Read("server_name", tls.server_name);
  config.Read("insecure_skip_verify", tls.insecure_skip_verify);
  ReadTlsVersions(config, tls);
  if (tls.cert_file.empty() != tls.key_file.empty()) {
    config.Fault("cert_file", "cert_file and key_file go together");
  }
  config.Finish();
}

void ReadProxy(MapReader& reader, HttpProxy& proxy) {
  reader.Read("proxy_url", proxy.url);
  reader.Read("no_proxy", proxy.no_proxy);
  reader.Read("proxy_from_environment", proxy.from_environment);
  if (proxy.from_environment && (!proxy.url.empty() || !proxy.no_proxy.empty())) {
    reader.Fault("proxy_from_environment", "does not go together with proxy_url and no_proxy");
  }
  if (proxy.url.empty() && !proxy.no_proxy.empty()) {
    reader.Fault("no_proxy", "means nothing without proxy_url");
  }
  const Node* const node = reader.Child("proxy_connect_header");
  if (!node) return;
  MapReader headers(*node, reader.diagnostics(), reader.context() + ".proxy_connect_header");
  for (const auto& [name, value] : node->entries) {
    std::vector<std::string> values;
    if (!headers.Read(name.text, values)) continue;
    for (auto& one : values) proxy.connect_headers.emplace_back(name.text, std::move(one));
  }
  headers.Finish();
}

void ReadHttpHeaders(MapReader& reader, const std::filesystem::path& folder,
                     SecretHttpFields& headers) {
  const Node* const list = reader.Child("http_headers");
  if (!list) return;
  if (!list->IsMap()) reader.Fault("http_headers", "expected a map of names and their values");
  for (const auto& [name, node] : list->entries) {
    MapReader header(node, reader.diagnostics(), reader.context() + ".http_headers." + name.text);
    if (IsReserved(name.text)) {
      reader.diagnostics().Add(name.position, name.text + " is set by vigia itself");
    }
    std::vector<std::string> values;
    std::vector<std::string> secrets;
    std::vector<std::string> files;
    header.Read("values", values);
    header.Read("secrets", secrets);
    header.Read("files", files);
    header.Finish();
    for (auto& value : values) headers.emplace_back(name.text, Secret::FromValue(value));
    for (auto& value : secrets) headers.emplace_back(name.text, Secret::FromValue(value));
    for (const std::filesystem::path file : files) {
      headers.emplace_back(name.text, Secret::FromFile(file.is_absolute() ? file : folder / file));
    }
  }
}

void ReadAuth(MapReader& reader, HttpAuth& auth, PlainSecrets plain) {
  if (const Node* const node = reader.Child("basic_auth")) {
    MapReader basic(*node, reader.diagnostics(), reader.context() + ".basic_auth");
    basic.Read("username", auth.username);
    basic.ReadSecret("password", auth.password, plain);
    basic.Finish();
  }
  if (const Node* const node = reader.Child("authorization")) {
    if (reader.Has("basic_auth")) reader.Fault("authorization", "stands beside basic_auth");
    MapReader authorization(*node, reader.diagnostics(), reader.context() + ".authorization");
    authorization.Read("type", auth.type);
    authorization.ReadSecret("credentials", auth.credentials, plain);
    authorization.Finish();
  }
}

}  // namespace vigia::config
