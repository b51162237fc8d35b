// The sections of vigia.yml about what is asked of endpoints.

#include "core/config/yaml.h"
#include "exporter/config/probe_endpoint.h"
#include "exporter/config/section.h"

namespace vigia::exporter {
namespace {

void ReadModulesFile(const std::filesystem::path& path, config::MapReader& reader,
                     ProbeEndpointConfig& endpoint) {
  config::Diagnostics diagnostics(path.string());
  const auto node = config::LoadYaml(path, {}, diagnostics);
  if (diagnostics.ok()) endpoint.modules = collectors::probe::ReadModules(node, diagnostics);
  for (const auto& line : diagnostics.Lines()) reader.Fault("config_file", line);
}

}  // namespace

bool ProbeEndpointConfig::Allows(const std::string& target) const {
  for (const auto& pattern : targets) {
    if (pattern.Found(target)) return true;
  }
  return false;
}

void ReadProbeEndpoint(SectionInput& input, Config& config) {
  auto endpoint = std::make_shared<ProbeEndpointConfig>();
  endpoint->modules = collectors::probe::BuiltInModules();
  if (const config::Node* node = input.file.Child("probe_endpoint")) {
    config::MapReader reader(*node, input.file.diagnostics(), "probe_endpoint");
    std::vector<std::string> expressions;
    reader.Require("targets", "expressions that a target has to match as a whole");
    reader.Read("targets", expressions);
    for (const auto& expression : expressions) {
      // Newlines too have to match, or a second line would pass unseen.
      auto pattern = collectors::probe::Pattern::Compile("\\A(?:" + expression + ")\\z");
      if (pattern) endpoint->targets.push_back(*std::move(pattern));
      if (!pattern) reader.Fault("targets", "'" + expression + "': " + pattern.error().message());
    }
    std::filesystem::path file;
    if (reader.Read("config_file", file)) ReadModulesFile(input.Resolve(file), reader, *endpoint);
    reader.Finish();
  }
  config.probe_endpoint = std::move(endpoint);
}

void ReadHealth(SectionInput& input, Config& config) {
  const config::Node* node = input.file.Child("health");
  if (!node) return;
  config::MapReader health(*node, input.file.diagnostics(), "health");
  health.Read("max_age", config.health_max_age);
  health.Finish();
}

}  // namespace vigia::exporter
