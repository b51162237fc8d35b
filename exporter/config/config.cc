#include "exporter/config/config.h"

#include <algorithm>
#include <array>

#include "core/config/yaml.h"
#include "core/redact.h"
#include "exporter/config/section.h"

namespace vigia::exporter {

#define SECTION(key, function) void function(SectionInput& input, Config& config);
#include "exporter/config/sections.def"
#undef SECTION

namespace {

constexpr std::array kKeys{
#define SECTION(key, function) std::string_view(key),
#include "exporter/config/sections.def"
#undef SECTION
};

// Passwords inside URLs and connection strings; those with a key of their own are the business
// of MapReader::ReadSecret.
void RefusePlainSecrets(const config::Node& node, config::Diagnostics& diagnostics) {
  constexpr std::array<std::string_view, 3> kAddresses{"url", "dsn", "uri"};
  for (const auto& item : node.items) RefusePlainSecrets(item, diagnostics);
  for (const auto& [key, value] : node.entries) {
    RefusePlainSecrets(value, diagnostics);
    if (!value.IsScalar() || value.variable || Redact(value.text) == value.text) continue;
    if (std::find(kAddresses.begin(), kAddresses.end(), key.text) == kAddresses.end()) continue;
    diagnostics.Add(value.position, key.text +
                                        " holds a secret, which does not stand in this file; "
                                        "write ${NAME} in its place to take it from the "
                                        "environment, or name a file that holds it");
  }
}

Config ReadSections(const config::Node& node, const std::filesystem::path& folder,
                    config::Diagnostics& diagnostics) {
  Config config;
  RefusePlainSecrets(node, diagnostics);
  config::MapReader file(node, diagnostics, "vigia.yml");
  SectionInput input{file, folder};
#define SECTION(key, function) function(input, config);
#include "exporter/config/sections.def"
#undef SECTION
  file.Finish();
  return config;
}

}  // namespace

std::span<const std::string_view> SectionKeys() { return kKeys; }

Config ParseConfig(std::string_view text, const std::filesystem::path& folder,
                   const config::Environment& environment, config::Diagnostics& diagnostics) {
  const auto node =
      config::ParseYaml(text, {.limits = {}, .environment = environment}, diagnostics);
  return ReadSections(node, folder, diagnostics);
}

Config LoadConfig(const std::filesystem::path& path, config::Diagnostics& diagnostics) {
  const auto node = config::LoadYaml(
      path, {.limits = {}, .environment = config::ProcessEnvironment}, diagnostics);
  return ReadSections(node, path.parent_path(), diagnostics);
}

Config DefaultConfig() {
  config::Diagnostics none("defaults");
  return ReadSections({}, {}, none);
}

}  // namespace vigia::exporter
