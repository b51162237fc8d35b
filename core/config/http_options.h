// The keys that everything that asks over HTTP has, as Prometheus writes them. Secrets of a secret
// manager (password_ref and its kin) are refused with a word about it: there is none here.

#pragma once

#include "core/config/reader.h"
#include "core/http_client.h"
#include "core/oauth2.h"

namespace vigia::config {

// What kind of file the keys stand in.
struct Origin {
  std::filesystem::path folder = {};  // that relative paths are taken from
  PlainSecrets plain = PlainSecrets::kRefused;
};

// `key` or `key_file`.
bool ReadSecretFrom(MapReader& reader, std::string_view key, const Origin& origin, Secret& out);

// Reads min_version and max_version of a tls_config: TLS10, TLS11, TLS12 or TLS13.
void ReadTlsVersions(MapReader& config, HttpTls& tls);

// Reads `tls_config`, or what has another name there: ca, ca_file, cert, cert_file, key, key_file,
// server_name, insecure_skip_verify, min_version, max_version.
void ReadTlsConfig(MapReader& reader, HttpTls& tls, const Origin& origin = {},
                   std::string_view key = "tls_config");

// Reads `proxy_url`, `no_proxy`, `proxy_from_environment`, `proxy_connect_header`.
void ReadProxy(MapReader& reader, HttpProxy& proxy);

// Reads `http_headers`, or what has another name there: {name: {values: [...], secrets: [...],
// files: [...]}}. Relative paths are taken from `folder`.
void ReadHttpHeaders(MapReader& reader, const std::filesystem::path& folder,
                     SecretHttpFields& headers, std::string_view key = "http_headers");

// Reads `basic_auth`, `authorization` or `bearer_token`; a fault if there is more than one of them
// and `oauth2`, which is left to its own.
void ReadAuth(MapReader& reader, HttpAuth& auth, const Origin& origin = {});

// Reads `oauth2`: client_id, client_secret, token_url, scopes, endpoint_params, tls_config, and
// the keys of ReadProxy().
void ReadOAuth2(MapReader& reader, OAuth2& oauth2, const Origin& origin = {});

}  // namespace vigia::config
