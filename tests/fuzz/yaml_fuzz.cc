// Any bytes become a tree or a fault that stands inside the text, and nothing else.

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "core/config/yaml.h"

namespace {

using namespace vigia::config;

void CheckPositions(const Node& node, int lines) {
  if (node.position.line < 1 || node.position.line > lines || node.position.column < 1) abort();
  for (const auto& item : node.items) CheckPositions(item, lines);
  for (const auto& [key, value] : node.entries) CheckPositions(value, lines);
}

std::optional<std::string> Lookup(const std::string& name) {
  if (name == "A") return "value";
  return std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const int lines = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 1;
  const YamlOptions options{.limits = {.max_bytes = 4096, .max_nodes = 500, .max_depth = 12},
                            .environment = Lookup};
  Diagnostics diagnostics("f");
  const auto root = ParseYaml(text, options, diagnostics);
  CheckPositions(root, lines);
  for (const auto& line : diagnostics.Lines()) {
    const bool counts = line.starts_with("f: and ");
    const int number = counts ? 1 : std::atoi(line.c_str() + 2);
    if (number < 1 || number > lines) abort();
  }
  return 0;
}
