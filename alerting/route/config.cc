#include "alerting/route/config.h"

#include <algorithm>
#include <array>

#include "core/config/yaml.h"

namespace vigia::alerting::route {
namespace {

using config::Node;

constexpr std::array<std::string_view, 8> kKeys{
    "global",    "templates",           "route",          "inhibit_rules",
    "receivers", "mute_time_intervals", "time_intervals", "tracing"};

// Calls `read` for each item of the list under `key`.
template <typename Read>
void ForEachItem(config::MapReader& map, std::string_view key, Read&& read) {
  const Node* list = map.Child(key);
  if (!list || list->IsNull()) return;
  if (!list->IsList()) {
    map.diagnostics().Add(list->position, std::string(key) + " has to be a list");
    return;
  }
  for (const auto& item : list->items) read(item);
}

void ReadIntervals(config::MapReader& map, Tree& tree) {
  for (const std::string_view key : {"mute_time_intervals", "time_intervals"}) {
    ForEachItem(map, key, [&](const Node& item) {
      auto named = ReadNamedIntervals(item, map.diagnostics());
      const auto name = named.name;
      if (!tree.intervals.emplace(name, std::move(named)).second && !name.empty()) {
        map.diagnostics().Add(item.position, "the time interval '" + name + "' stands here twice");
      }
    });
  }
}

void ReadReceivers(config::MapReader& map, const std::filesystem::path& folder,
                   std::vector<ReceiverConfig>& receivers) {
  ForEachItem(map, "receivers", [&](const Node& item) {
    ReceiverConfig receiver{.name = {}, .node = ResolveFiles(item, folder)};
    const Node* name = item.Find("name");
    if (!item.IsMap() || !name || !name->IsScalar() || name->text.empty()) {
      map.diagnostics().Add(item.position, "a receiver needs a name; routes refer to it");
      return;
    }
    receiver.name = name->text;
    const bool twice = std::any_of(receivers.begin(), receivers.end(),
                                   [&](const auto& other) { return other.name == receiver.name; });
    if (twice) {
      map.diagnostics().Add(name->position,
                            "the receiver '" + receiver.name + "' stands here twice");
    }
    receivers.push_back(std::move(receiver));
  });
}

// "receiver 'x' does not exist", with the one that was probably meant.
std::string Missing(std::string_view kind, const std::string& name,
                    const std::vector<std::string_view>& known) {
  std::string text(kind);
  text += " '" + name + "' does not exist";
  const auto nearest = config::Nearest(name, known);
  return nearest.empty() ? text : text + ", did you mean '" + std::string(nearest) + "'?";
}

void CheckNames(const AlertmanagerConfig& out, config::Diagnostics& diagnostics) {
  std::vector<std::string_view> receivers;
  std::vector<std::string_view> intervals;
  for (const auto& receiver : out.receivers) receivers.push_back(receiver.name);
  for (const auto& [name, interval] : out.tree.intervals) intervals.push_back(name);
  const auto has = [](const auto& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  ForEachRoute(out.tree.root, [&](const Route& route) {
    if (!route.receiver.empty() && !has(receivers, route.receiver)) {
      diagnostics.Add(route.position, Missing("the receiver", route.receiver, receivers));
    }
    for (const auto* names : {&route.mute_time_intervals, &route.active_time_intervals}) {
      for (const auto& name : *names) {
        if (has(intervals, name)) continue;
        diagnostics.Add(route.position, Missing("the time interval", name, intervals));
      }
    }
  });
}

void ReadGlobal(config::MapReader& map, const std::filesystem::path& folder,
                AlertmanagerConfig& out) {
  const Node* global = map.Child("global");
  if (!global || global->IsNull()) return;
  if (!global->IsMap()) {
    map.diagnostics().Add(global->position, "global has to be a map of keys and values");
    return;
  }
  out.global = ResolveFiles(*global, folder);
  ReadDuration(*global, "resolve_timeout", map.diagnostics(), out.resolve_timeout);
}

bool EndsInFile(std::string_view key) { return key.ends_with("_file"); }

// Keys whose values are secret, wherever they stand.
bool IsSecretKey(std::string_view key) {
  if (EndsInFile(key)) return false;
  constexpr std::array<std::string_view, 6> kParts{"password", "secret",      "token",
                                                   "api_key",  "credentials", "_key"};
  if (key == "api_url" || key == "webhook_url" || key == "service_key") return true;
  if (key.ends_with("api_url") || key.ends_with("webhook_url")) return true;
  return std::any_of(kParts.begin(), kParts.end(), [&](std::string_view part) {
    return key.find(part) != key.npos && key != "dedup_key";
  });
}

// Receivers of vigia's own, which clients of Alertmanager would refuse.
bool IsOwnKind(std::string_view key) {
  constexpr std::array<std::string_view, 6> kOwn{"log_configs",          "ntfy_configs",
                                                 "googlechat_configs",   "sentry_configs",
                                                 "alertmanager_configs", "google_chat_configs"};
  return std::find(kOwn.begin(), kOwn.end(), key) != kOwn.end();
}

// A URL without what may be secret in it: user, path, query.
std::string ShownUrl(const std::string& url) {
  const auto scheme = url.find("://");
  if (scheme == url.npos) return "<secret>";
  const auto end = std::min(url.find_first_of("/?#", scheme + 3), url.size());
  auto host = url.substr(scheme + 3, end - scheme - 3);
  if (const auto user = host.rfind('@'); user != host.npos) host.erase(0, user + 1);
  return url.substr(0, scheme + 3) + host + (end + 1 < url.size() ? "/<secret>" : "/");
}

void AppendScalar(std::string& out, const Node& node) {
  out += '"';
  for (const char c : node.text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  out += '"';
}

void AppendYaml(std::string& out, const Node& node, std::size_t indent, bool secret) {
  const std::string space(indent, ' ');
  if (node.IsNull()) {
    out += " null\n";
  } else if (node.IsScalar()) {
    out += ' ';
    if (secret) {
      out += "<secret>";
    } else if (node.quoted) {
      AppendScalar(out, node);
    } else {
      out += node.text;
    }
    out += '\n';
  } else if (node.IsList()) {
    out += node.items.empty() ? " []\n" : "\n";
    for (const auto& item : node.items) {
      out += space + "-";
      AppendYaml(out, item, indent + 2, secret);
    }
  } else {
    out += node.entries.empty() ? " {}\n" : "\n";
    for (const auto& [key, value] : node.entries) {
      if (IsOwnKind(key.text)) continue;
      out += space + key.text + ":";
      if (key.text == "url" && value.IsScalar()) {
        out += " \"" + ShownUrl(value.text) + "\"\n";
        continue;
      }
      AppendYaml(out, value, indent + 2, secret || IsSecretKey(key.text));
    }
  }
}

}  // namespace

AlertmanagerConfig ReadAlertmanagerConfig(config::MapReader& map,
                                          const std::filesystem::path& folder) {
  AlertmanagerConfig out;
  auto& diagnostics = map.diagnostics();
  ReadGlobal(map, folder, out);
  std::vector<std::string> templates;
  if (const Node* node = map.node().Find("templates"); node && !node->IsNull()) {
    map.Read("templates", templates);
  } else {
    map.Child("templates");
  }
  for (const auto& path : templates) out.templates.push_back(folder / path);
  map.Child("tracing");  // of Alertmanager itself
  ReadIntervals(map, out.tree);
  ReadReceivers(map, folder, out.receivers);
  if (const Node* route = map.Child("route")) {
    ReadTree(*route, diagnostics, out.tree);
    CheckNames(out, diagnostics);
  } else {
    map.Require("route", "it says who is told");
  }
  ForEachItem(map, "inhibit_rules", [&](const Node& item) {
    out.inhibit_rules.push_back(ReadInhibitRule(item, diagnostics));
  });
  Node shown = map.node();
  std::erase_if(shown.entries, [](const auto& entry) {
    return std::find(kKeys.begin(), kKeys.end(), entry.first.text) == kKeys.end();
  });
  out.text = ShownText(shown);
  return out;
}

AlertmanagerConfig LoadAlertmanagerConfig(const std::filesystem::path& path,
                                          config::Diagnostics& diagnostics) {
  const auto root = config::LoadYaml(path, {}, diagnostics);
  if (!diagnostics.ok() && root.IsNull()) return {};
  config::MapReader map(root, diagnostics, path.filename().string());
  auto out = ReadAlertmanagerConfig(map, path.parent_path());
  map.Finish();
  return out;
}

std::span<const std::string_view> AlertmanagerKeys() { return kKeys; }

Node ResolveFiles(const Node& node, const std::filesystem::path& folder) {
  Node out = node;
  for (auto& item : out.items) item = ResolveFiles(item, folder);
  for (auto& [key, value] : out.entries) {
    if (value.IsScalar() && EndsInFile(key.text) && !value.text.empty()) {
      value.text = (folder / value.text).string();
    } else {
      value = ResolveFiles(value, folder);
    }
  }
  return out;
}

std::string ShownText(const Node& node) {
  std::string out;
  AppendYaml(out, node, 0, false);
  return out.starts_with('\n') ? out.substr(1) : out;
}

}  // namespace vigia::alerting::route
