// Loads YAML into config nodes, strictly.

#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/config/diagnostics.h"
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
  std::function<std::optional<std::string>(const std::string& name)> environment = {};
};

// Faults go to `diagnostics` (whose file() names the text); the tree is then whatever could be
// read, to let further faults be found, but must not be used for anything else. Besides what
// yaml-cpp refuses, these are faults: duplicate keys, quotes that are never closed, more than
// one document, merge keys, anchors that expand beyond the limits, `${NAME}` without a value
// (`${NAME:-default}` gives one, `$$` is a dollar sign).
Node ParseYaml(std::string_view text, const YamlOptions& options, Diagnostics& diagnostics);

// The same for a file; one that cannot be read is a fault.
Node LoadYaml(const std::filesystem::path& path, const YamlOptions& options,
              Diagnostics& diagnostics);

// The environment of the process, for YamlOptions::environment.
std::optional<std::string> ProcessEnvironment(const std::string& name);

}  // namespace vigia::config
