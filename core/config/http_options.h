// The keys that everything that asks over HTTP has, as Prometheus writes them.

#pragma once

#include "core/config/reader.h"
#include "core/http_client.h"

namespace vigia::config {

// Reads min_version and max_version of a tls_config: TLS10, TLS11, TLS12 or TLS13.
void ReadTlsVersions(MapReader& config, HttpTls& tls);

// Reads `tls_config`: ca_file, cert_file, key_file, server_name, insecure_skip_verify,
// min_version, max_version.
void ReadTlsConfig(MapReader& reader, HttpTls& tls);

// Reads `proxy_url`, `no_proxy`, `proxy_from_environment`, `proxy_connect_header`.
void ReadProxy(MapReader& reader, HttpProxy& proxy);

// Reads `http_headers`: {name: {values: [...], secrets: [...], files: [...]}}. Relative paths are
// taken from `folder`.
void ReadHttpHeaders(MapReader& reader, const std::filesystem::path& folder,
                     SecretHttpFields& headers);

// Reads `basic_auth` or `authorization`.
void ReadAuth(MapReader& reader, HttpAuth& auth, PlainSecrets plain = PlainSecrets::kRefused);

}  // namespace vigia::config
