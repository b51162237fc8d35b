// web.yml, the web configuration of Prometheus' exporter-toolkit (its docs/web-configuration.md):
// TLS, users, headers and a rate limit.

#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/config/diagnostics.h"
#include "exporter/http/rate_limit.h"
#include "exporter/http/tls.h"

namespace vigia::http {

// Immutable once loaded.
struct WebConfig {
  std::shared_ptr<const TlsSettings> tls;      // null: without encryption
  std::map<std::string, std::string> headers;  // replace our own; an empty value removes
  std::map<std::string, std::string> users;    // name to bcrypt hash; empty: open to all
  std::optional<Rate> rate_limit;              // of all clients together

  // Worth telling the user: keys that are accepted but mean nothing here.
  std::vector<std::string> notes;
  // What the configuration was read from, besides the file itself.
  std::vector<std::filesystem::path> files;
};

// Reads a file and those it names. Faults go to `diagnostics`; the result is then only good for
// its `files`.
WebConfig LoadWebConfig(const std::filesystem::path& path, config::Diagnostics& diagnostics);

}  // namespace vigia::http
