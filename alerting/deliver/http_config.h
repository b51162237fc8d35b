// http_config: how a receiver speaks HTTP, with Prometheus' keys: basic_auth, authorization,
// bearer_token, oauth2, tls_config, follow_redirects, enable_http2, http_headers, proxy_url and
// its kin.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/config/reader.h"
#include "core/http_client.h"
#include "core/oauth2.h"
#include "core/secret.h"

namespace vigia::alerting::deliver {

struct HttpConfig {
  HttpClient::Options client;
  OAuth2 oauth2;
  // Besides those of the receiver; a value may be a file.
  SecretHttpFields headers;
};

// `http_config` of `options`, else that of `global`, else defaults. Relative paths are taken
// from `folder`.
HttpConfig ReadHttpConfig(config::MapReader& options, const config::Node& global,
                          const std::filesystem::path& folder);

// The keys of an http_config that stand among others, as they do where Prometheus is told of
// servers; `reader` is not finished.
HttpConfig ReadHttpKeys(config::MapReader& reader, const std::filesystem::path& folder);

// `tls_config` of `options`, or what has another name there.
HttpTls ReadTlsConfig(config::MapReader& options, const std::filesystem::path& folder,
                      std::string_view key = "tls_config");

// `key` or `key_file`, in plain text too, as public formats have it.
bool ReadSecretIn(config::MapReader& options, std::string_view key,
                  const std::filesystem::path& folder, Secret& out);

}  // namespace vigia::alerting::deliver
