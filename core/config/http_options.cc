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

std::filesystem::path In(const std::filesystem::path& folder, const std::filesystem::path& path) {
  return path.empty() || path.is_absolute() ? path : folder / path;
}

// A nested map, and a reader of it; its unknown keys are faults.
template <typename Read>
void WithMap(MapReader& parent, std::string_view key, Read read) {
  const Node* const node = parent.Child(key);
  if (!node) return;
  MapReader reader(*node, parent.diagnostics(), parent.context() + "." + std::string(key));
  read(reader);
  reader.Finish();
}

void RefuseReference(MapReader& reader, std::string_view key) {
  if (!reader.Child(key)) return;
  reader.Fault(key, "names a secret of a secret manager, which there is not here; name a file");
}

// A PEM that stands in the file itself.
void ReadPem(MapReader& reader, std::string_view key, std::string& pem) {
  const std::string file = std::string(key) + "_file";
  if (reader.Read(key, pem) && reader.Has(file)) {
    reader.Fault(key, "stands beside " + file + "; write one of the two");
  }
  RefuseReference(reader, std::string(key) + "_ref");
}

void ReadKey(MapReader& reader, const Origin& origin, Secret& key) {
  std::string pem;
  ReadPem(reader, "key", pem);
  const Node* const node = reader.node().Find("key");
  if (node && origin.plain == PlainSecrets::kRefused && !node->variable) {
    reader.Fault("key",
                 "a secret does not stand in this file; write key_file, or ${NAME} to take "
                 "it from the environment");
  } else if (!pem.empty()) {
    key = Secret::FromValue(std::move(pem));
  }
}

void CheckOneAuth(MapReader& reader) {
  constexpr std::array<std::string_view, 5> kKeys{"basic_auth", "authorization", "bearer_token",
                                                  "bearer_token_file", "oauth2"};
  std::string_view first;
  for (const auto key : kKeys) {
    if (!reader.Has(key)) continue;
    if (!first.empty()) reader.Fault(key, "stands beside " + std::string(first) + ": keep one");
    first = key;
  }
}

}  // namespace

bool ReadSecretFrom(MapReader& reader, std::string_view key, const Origin& origin, Secret& out) {
  RefuseReference(reader, std::string(key) + "_ref");
  if (!reader.ReadSecret(key, out, origin.plain)) return false;
  std::filesystem::path file;
  if (reader.Read(std::string(key) + "_file", file)) {
    out = Secret::FromFile(In(origin.folder, file));
  }
  return true;
}

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

void ReadTlsConfig(MapReader& reader, HttpTls& tls, const Origin& origin, std::string_view key) {
  WithMap(reader, key, [&](MapReader& config) {
    config.Read("ca_file", tls.ca_file);
    config.Read("cert_file", tls.cert_file);
    config.Read("key_file", tls.key_file);
    for (auto* const path : {&tls.ca_file, &tls.cert_file, &tls.key_file}) {
      *path = In(origin.folder, *path);
    }
    ReadPem(config, "ca", tls.ca);
    ReadPem(config, "cert", tls.cert);
    ReadKey(config, origin, tls.key);
    config.Read("server_name", tls.server_name);
    config.Read("insecure_skip_verify", tls.insecure_skip_verify);
    ReadTlsVersions(config, tls);
    const bool has_cert = !tls.cert_file.empty() || !tls.cert.empty();
    const bool has_key = !tls.key_file.empty() || !tls.key.empty();
    if (has_cert != has_key) config.Fault("cert_file", "cert_file and key_file go together");
  });
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
                     SecretHttpFields& headers, std::string_view key) {
  const Node* const list = reader.Child(key);
  if (!list) return;
  if (!list->IsMap()) reader.Fault(key, "expected a map of names and their values");
  const auto context = reader.context() + "." + std::string(key) + ".";
  for (const auto& [name, node] : list->entries) {
    MapReader header(node, reader.diagnostics(), context + name.text);
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

void ReadAuth(MapReader& reader, HttpAuth& auth, const Origin& origin) {
  WithMap(reader, "basic_auth", [&](MapReader& basic) {
    basic.Read("username", auth.username);
    std::filesystem::path file;
    if (basic.Read("username_file", file)) {
      const auto name = Secret::FromFile(In(origin.folder, file)).Reveal();
      if (name) auth.username = *name;
      if (!name) basic.Fault("username_file", name.error().message());
    }
    RefuseReference(basic, "username_ref");
    ReadSecretFrom(basic, "password", origin, auth.password);
  });
  WithMap(reader, "authorization", [&](MapReader& authorization) {
    authorization.Read("type", auth.type);
    ReadSecretFrom(authorization, "credentials", origin, auth.credentials);
  });
  if (ReadSecretFrom(reader, "bearer_token", origin, auth.credentials)) auth.type = "Bearer";
  CheckOneAuth(reader);
}

void ReadOAuth2(MapReader& reader, OAuth2& oauth2, const Origin& origin) {
  WithMap(reader, "oauth2", [&](MapReader& map) {
    if (!map.Read("client_id", oauth2.client_id)) map.Require("client_id", "who asks");
    ReadSecretFrom(map, "client_secret", origin, oauth2.client_secret);
    if (!map.Read("token_url", oauth2.token_url)) {
      map.Require("token_url", "where tokens are given out");
    } else if (const auto url = ParseHttpUrl(oauth2.token_url); !url) {
      map.Fault("token_url", url.error().message());
    }
    std::string grant = "client_credentials";
    if (map.Read("grant_type", grant) && !grant.empty() && grant != "client_credentials") {
      map.Fault("grant_type", "'" + grant + "' is not known here, only client_credentials");
    }
    map.Read("scopes", oauth2.scopes);
    std::map<std::string, std::string> parameters;
    map.Read("endpoint_params", parameters);
    oauth2.endpoint_params.assign(parameters.begin(), parameters.end());
    ReadTlsConfig(map, oauth2.tls, origin);
    ReadProxy(map, oauth2.proxy);
  });
}

}  // namespace vigia::config
