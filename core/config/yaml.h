// Loads YAML into config nodes, strictly.

#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/config/diagnostics.h"
#include "core/config/environment.h"
#include "core/config/node.h"

namespace vigia::config {

struct YamlLimits {
  std::size_t max_bytes = 4 * 1024 * 1024;
  std::size_t max_nodes = 200'000;
  int max_depth = 32;
};

struct YamlOptions {
  YamlLimits limits;
  // Looks up NAME of `${NAME}` in scalars; empty: no substitution (rule files, Alertmanager's).
  Environment environment = {};
};

// Faults go to `diagnostics` (whose file() names the text). The tree is then good for finding
// further faults and nothing else; it is null where the syntax is wrong, for the rest would be
// guesswork. Besides what yaml-cpp refuses, these are faults: duplicate keys, keys that are not
// text, quotes that are never closed or that the quote of another value closes, tabs in the
// indentation, tags, merge keys, more than one document, aliases that expand beyond the limits,
// bytes that no text has, and variables without a value (environment.h). Never throws.
Node ParseYaml(std::string_view text, const YamlOptions& options, Diagnostics& diagnostics);

// The same for a file; one that cannot be read is a fault.
Node LoadYaml(const std::filesystem::path& path, const YamlOptions& options,
              Diagnostics& diagnostics);

// The environment of the process, for YamlOptions::environment.
std::optional<std::string> ProcessEnvironment(const std::string& name);

}  // namespace vigia::config
