// alertmanager.yml: Alertmanager's own configuration, as vigia reads it.
//
// The same keys may stand under `alerting:` in vigia.yml. Receivers and `global` are kept as the
// nodes they are: each receiver reads its own options (alerting/deliver).

#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/route/inhibit.h"
#include "alerting/route/tree.h"
#include "core/config/diagnostics.h"
#include "core/config/reader.h"

namespace vigia::alerting::route {

// One item of `receivers`: a name, and the lists that say how to tell it ("slack_configs").
struct ReceiverConfig {
  std::string name;
  config::Node node;  // the whole map
};

struct AlertmanagerConfig {
  config::Node global;  // null where there is none
  Milliseconds resolve_timeout{300'000};
  std::vector<std::filesystem::path> templates;  // may hold wildcards
  Tree tree;
  std::vector<InhibitRule> inhibit_rules;
  std::vector<ReceiverConfig> receivers;
  std::string text;  // what GET /api/v2/status shows, passwords hidden
};

// Reads the file. Relative paths in it (templates, and every key that ends in `_file`) are taken
// from the file's folder. Faults go to `diagnostics`, all of them in one pass.
AlertmanagerConfig LoadAlertmanagerConfig(const std::filesystem::path& path,
                                          config::Diagnostics& diagnostics);

// The same for a map that has been read already; the caller finishes it. `folder` is where the
// file stands.
AlertmanagerConfig ReadAlertmanagerConfig(config::MapReader& map,
                                          const std::filesystem::path& folder);

// The keys at the top of the file.
std::span<const std::string_view> AlertmanagerKeys();

// `node` with each relative path under a key that ends in `_file` joined to `folder`.
config::Node ResolveFiles(const config::Node& node, const std::filesystem::path& folder);

// `node` as YAML, with "<secret>" for what must not be shown.
std::string ShownText(const config::Node& node);

}  // namespace vigia::alerting::route
