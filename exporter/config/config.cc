#include "exporter/config/config.h"

#include "core/config/yaml.h"
#include "exporter/config/section.h"

namespace vigia::exporter {

#define SECTION(key, function) void function(SectionInput& input, Config& config);
#include "exporter/config/sections.def"
#undef SECTION

Config LoadConfig(const std::filesystem::path& path, config::Diagnostics& diagnostics) {
  const auto node = config::LoadYaml(
      path, {.limits = {}, .environment = config::ProcessEnvironment}, diagnostics);
  Config config = DefaultConfig();
  if (!diagnostics.ok() && node.IsNull()) return config;
  config::MapReader file(node, diagnostics, "vigia.yml");
  SectionInput input{file, path.parent_path()};
#define SECTION(key, function) function(input, config);
#include "exporter/config/sections.def"
#undef SECTION
  file.Finish();
  return config;
}

Config DefaultConfig() {
  Config config;
  config::Node host;
  host.kind = config::Node::Kind::kMap;
  config::Node collectors;
  collectors.kind = config::Node::Kind::kMap;
  collectors.entries.emplace_back(config::Node::Key{"host", {}}, host);
  config::Diagnostics none("defaults");
  config.collectors = collectors::ReadCollectors(collectors, config.target_label, none);
  return config;
}

}  // namespace vigia::exporter
