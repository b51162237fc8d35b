// `alerting.alertmanagers` and `alerting.alert_relabel_configs`, with Prometheus' keys.

#include <array>

#include "core/http_client.h"
#include "exporter/config/alerting.h"

namespace vigia::exporter {
namespace {

using alerting::deliver::AlertmanagerOptions;
using alerting::deliver::AlertmanagersOptions;

constexpr const char* kContext = "alerting.alertmanagers";
constexpr std::array<std::string_view, 2> kSchemes{"http", "https"};

// What the entries of one list item have in common.
struct Common {
  AlertmanagerOptions options;
  std::string scheme;
  std::string path;
  Relabeling relabeling;  // of the targets
};

Relabeling ReadRelabeling(config::MapReader& reader, std::string_view key) {
  const config::Node* const node = reader.Child(key);
  if (!node || node->IsNull()) return {};
  return Relabeling::Read(*node, reader.context() + "." + std::string(key), reader.diagnostics());
}

std::string PathBelow(std::string prefix) {
  while (prefix.ends_with('/')) prefix.pop_back();
  if (!prefix.empty() && !prefix.starts_with('/')) prefix.insert(0, "/");
  return prefix + "/api/v2/alerts";
}

// Adds the Alertmanager at `address`, unless relabelling drops it.
void AddTarget(const Common& common, const std::map<std::string, std::string>& labels,
               const std::string& address, config::MapReader& reader, AlertmanagersOptions& out) {
  LabelsBuilder builder;
  for (const auto& [name, value] : labels) builder.Set(name, value);
  builder.Set("__address__", address);
  builder.Set("__scheme__", common.scheme);
  builder.Set("__alerts_path__", common.path);
  if (!common.relabeling.Apply(builder)) return;
  auto options = common.options;
  options.url = std::string(builder.Get("__scheme__")) + "://" +
                std::string(builder.Get("__address__")) +
                std::string(builder.Get("__alerts_path__"));
  const auto url = ParseHttpUrl(options.url);
  if (!url || address.find('/') != address.npos) {
    return reader.Fault("targets", "'" + address + "' is not host:port");
  }
  if (url->has_user) return reader.Fault("targets", "a password belongs into basic_auth");
  for (const auto& other : out.targets) {
    if (other.url == options.url) return;
  }
  out.targets.push_back(std::move(options));
}

void ReadTargets(const Common& common, const config::Node& list, config::Diagnostics& diagnostics,
                 AlertmanagersOptions& out) {
  for (const auto& item : list.items) {
    config::MapReader reader(item, diagnostics, std::string(kContext) + ".static_configs");
    std::vector<std::string> targets;
    std::map<std::string, std::string> labels;
    if (!reader.Read("targets", targets)) reader.Require("targets", "such as [127.0.0.1:9093]");
    reader.Read("labels", labels);
    reader.Finish();
    for (const auto& target : targets) AddTarget(common, labels, target, reader, out);
  }
}

void ReadOne(const config::Node& item, config::Diagnostics& diagnostics,
             const std::filesystem::path& folder, AlertmanagersOptions& out) {
  config::MapReader reader(item, diagnostics, kContext);
  Common common;
  common.options.http = alerting::deliver::ReadHttpKeys(reader, folder);
  if (reader.Has("sigv4")) {
    common.options.aws = alerting::deliver::ReadSigV4(reader, folder);
    if (common.options.aws->region.empty()) reader.Fault("sigv4", "has to have a region");
    if (!common.options.http.client.auth.credentials.empty() ||
        !common.options.http.client.auth.username.empty()) {
      reader.Fault("sigv4", "stands beside other credentials: keep one");
    }
  }
  common.options.fingerprint = config::Canonical(item);
  reader.Read("timeout", common.options.timeout);
  common.options.relabeling = ReadRelabeling(reader, "alert_relabel_configs");
  common.scheme = kSchemes[reader.ReadChoice("scheme", kSchemes, 0)];
  std::string prefix;
  reader.Read("path_prefix", prefix);
  common.path = PathBelow(prefix);
  common.relabeling = ReadRelabeling(reader, "relabel_configs");
  std::string version = "v2";
  if (reader.Read("api_version", version) && version != "v2") {
    reader.Fault("api_version", "has to be v2: no Alertmanager has another since 0.27");
  }
  const config::Node* const targets = reader.Child("static_configs");
  if (!targets) {
    reader.Require("static_configs", "such as [{targets: [127.0.0.1:9093]}]");
  } else if (!targets->IsList()) {
    reader.Fault("static_configs", "has to be a list");
  } else {
    ReadTargets(common, *targets, diagnostics, out);
  }
  reader.Finish();
}

}  // namespace

AlertmanagersOptions ReadAlertmanagers(config::MapReader& alerting,
                                       const std::filesystem::path& folder) {
  AlertmanagersOptions out;
  out.relabeling = ReadRelabeling(alerting, "alert_relabel_configs");
  const config::Node* const list = alerting.Child("alertmanagers");
  if (!list || list->IsNull()) return out;
  if (!list->IsList()) {
    alerting.Fault("alertmanagers", "has to be a list");
    return out;
  }
  for (const auto& item : list->items) ReadOne(item, alerting.diagnostics(), folder, out);
  return out;
}

}  // namespace vigia::exporter
