#include "collectors/probe/module_text.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/redact.h"

namespace vigia::collectors::probe {
namespace {

// What a module may say and nobody is to read. Of headers, all: which are secret nobody knows.
bool IsSecretKey(std::string_view key) {
  constexpr std::array<std::string_view, 10> kKeys{
      "password", "bearer_token", "credentials",          "client_secret", "secrets",
      "headers",  "cookie",       "proxy_connect_header", "metadata",      "key"};
  return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
}

void WriteScalar(const config::Node& node, std::string& out) {
  const bool plain = !node.quoted && !node.text.empty();
  out += plain ? Redact(node.text)
               : nlohmann::json(Redact(node.text))
                     .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Writes a node as YAML, `indent` deep; `hidden`: without its values.
void WriteNode(const config::Node& node, std::size_t indent, bool hidden, std::string& out) {
  const std::string space(indent, ' ');
  if (node.IsMap() && !node.entries.empty()) {
    for (const auto& [key, value] : node.entries) {
      out += "\n" + space + key.text + ":";
      WriteNode(value, indent + 2, hidden || IsSecretKey(key.text), out);
    }
    return;
  }
  if (node.IsList() && !node.items.empty()) {
    for (const auto& item : node.items) {
      out += "\n" + space + "-";
      WriteNode(item, indent + 2, hidden, out);
    }
    return;
  }
  out += ' ';
  if (node.IsMap()) out += "{}";
  if (node.IsList()) out += "[]";
  if (node.IsScalar() && hidden) out += "<secret>";
  if (node.IsScalar() && !hidden) WriteScalar(node, out);
}

}  // namespace

std::string ModuleText(const std::string& name, const config::Node& node) {
  std::string text = name + ":";
  WriteNode(node, 2, false, text);
  return text + "\n";
}

}  // namespace vigia::collectors::probe
