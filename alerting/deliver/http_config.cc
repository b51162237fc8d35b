#include "alerting/deliver/http_config.h"

#include <array>

#include "core/config/http_options.h"

namespace vigia::alerting::deliver {
namespace {

// Answers are short.
constexpr std::size_t kMaxAnswer = 64 << 10;

std::filesystem::path In(const std::filesystem::path& folder, const std::filesystem::path& path) {
  return path.empty() || path.is_absolute() ? path : folder / path;
}

// A nested map, and a reader of it; its unknown keys are faults.
template <typename Read>
void WithMap(config::MapReader& parent, std::string_view key, Read read) {
  const config::Node* const node = parent.Child(key);
  if (!node) return;
  config::MapReader reader(*node, parent.diagnostics(), std::string(key));
  read(reader);
  reader.Finish();
}

void CheckOneAuth(config::MapReader& reader) {
  constexpr std::array kKeys{"basic_auth", "authorization", "bearer_token", "bearer_token_file",
                             "oauth2"};
  std::string_view first;
  for (const std::string_view key : kKeys) {
    if (!reader.Has(key)) continue;
    if (!first.empty()) reader.Fault(key, "stands beside " + std::string(first) + ": keep one");
    first = key;
  }
}

void ReadAuth(config::MapReader& reader, const std::filesystem::path& folder, HttpAuth& auth) {
  WithMap(reader, "basic_auth", [&](config::MapReader& basic) {
    basic.Read("username", auth.username);
    std::filesystem::path file;
    if (basic.Read("username_file", file)) {
      const auto name = Secret::FromFile(In(folder, file)).Reveal();
      if (name) auth.username = *name;
      if (!name) basic.Fault("username_file", name.error().message());
    }
    ReadSecretIn(basic, "password", folder, auth.password);
  });
  WithMap(reader, "authorization", [&](config::MapReader& authorization) {
    authorization.Read("type", auth.type);
    ReadSecretIn(authorization, "credentials", folder, auth.credentials);
  });
  ReadSecretIn(reader, "bearer_token", folder, auth.credentials);
  CheckOneAuth(reader);
}

void ReadOAuth2(config::MapReader& reader, const std::filesystem::path& folder, OAuth2& oauth2) {
  WithMap(reader, "oauth2", [&](config::MapReader& map) {
    map.Require("client_id", "");
    map.Require("token_url", "");
    map.Read("client_id", oauth2.client_id);
    map.Read("token_url", oauth2.token_url);
    map.Read("scopes", oauth2.scopes);
    map.Read("endpoint_params", oauth2.endpoint_params);
    ReadSecretIn(map, "client_secret", folder, oauth2.client_secret);
    oauth2.tls = ReadTlsConfig(map, folder);
    config::ReadProxy(map, oauth2.proxy);
  });
}

}  // namespace

bool ReadSecretIn(config::MapReader& options, std::string_view key,
                  const std::filesystem::path& folder, Secret& out) {
  if (!options.ReadSecret(key, out, config::PlainSecrets::kAllowed)) return false;
  std::filesystem::path file;
  if (options.Read(std::string(key) + "_file", file)) out = Secret::FromFile(In(folder, file));
  return true;
}

HttpTls ReadTlsConfig(config::MapReader& options, const std::filesystem::path& folder,
                      std::string_view key) {
  HttpTls tls;
  WithMap(options, key, [&](config::MapReader& reader) {
    reader.Read("ca_file", tls.ca_file);
    reader.Read("cert_file", tls.cert_file);
    reader.Read("key_file", tls.key_file);
    reader.Read("server_name", tls.server_name);
    reader.Read("insecure_skip_verify", tls.insecure_skip_verify);
    config::ReadTlsVersions(reader, tls);
    if (tls.cert_file.empty() != tls.key_file.empty()) {
      reader.Fault("cert_file", "cert_file and key_file go together");
    }
    for (auto* const path : {&tls.ca_file, &tls.cert_file, &tls.key_file}) {
      *path = In(folder, *path);
    }
  });
  return tls;
}

HttpConfig ReadHttpKeys(config::MapReader& reader, const std::filesystem::path& folder) {
  HttpConfig config;
  config.client.max_body_bytes = kMaxAnswer;
  ReadAuth(reader, folder, config.client.auth);
  ReadOAuth2(reader, folder, config.oauth2);
  config.client.tls = ReadTlsConfig(reader, folder);
  config::ReadHttpHeaders(reader, folder, config.headers);
  config::ReadProxy(reader, config.client.proxy);
  reader.Read("follow_redirects", config.client.follow_redirects);
  reader.Read("enable_http2", config.client.http2);
  return config;
}

HttpConfig ReadHttpConfig(config::MapReader& options, const config::Node& global,
                          const std::filesystem::path& folder) {
  const config::Node none;
  const config::Node* node = options.Child("http_config");
  if (!node) node = global.Find("http_config");
  config::MapReader reader(node ? *node : none, options.diagnostics(), "http_config");
  auto config = ReadHttpKeys(reader, folder);
  reader.Finish();
  return config;
}

}  // namespace vigia::alerting::deliver
