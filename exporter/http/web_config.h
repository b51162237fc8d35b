// web.yml of Prometheus' exporter-toolkit: TLS, users, headers, rate limit.
//
// https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md is the
// format. What this server cannot do is a fault of the file, never left out in silence.

#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "core/config/diagnostics.h"
#include "core/duration.h"
#include "exporter/http/message.h"
#include "exporter/http/server.h"

namespace vigia::http {

struct WebConfig {
  struct Tls {
    std::filesystem::path cert_file;
    std::filesystem::path key_file;
    std::string cert;  // instead of the files
    std::string key;
    TlsOptions options;  // without certificate_file
  };
  struct RateLimit {
    Milliseconds interval{};  // between requests of one client
    std::int64_t burst = 1;
  };

  std::optional<Tls> tls;
  Headers headers;
  std::map<std::string, std::string> users;  // name -> bcrypt hash
  std::optional<RateLimit> rate_limit;

  // The chain and the key in one text, as civetweb reads them.
  Result<std::string> Pem() const;
};

// Faults go to `diagnostics`; relative paths are taken from the file's folder.
WebConfig LoadWebConfig(const std::filesystem::path& path, config::Diagnostics& diagnostics);

}  // namespace vigia::http
