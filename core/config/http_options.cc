#include "core/config/http_options.h"

#include <array>

namespace vigia::config {

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
