// `alerting.alertmanagers` and `alerting.alert_relabel_configs`, with Prometheus' keys.

#include <algorithm>
#include <array>
#include <optional>

#include "alerting/rules/files.h"
#include "core/config/yaml.h"
#include "core/http_client.h"
#include "core/log.h"
#include "exporter/config/alerting.h"

namespace vigia::exporter {
namespace {

using alerting::deliver::AlertmanagerDiscovery;
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

using Targets = std::vector<AlertmanagerOptions>;

void AddOnce(AlertmanagerOptions options, Targets& out) {
  const bool known = std::any_of(out.begin(), out.end(),
                                 [&](const auto& other) { return other.url == options.url; });
  if (!known) out.push_back(std::move(options));
}

// Adds the Alertmanager at `address`, unless relabelling drops it.
void AddTarget(const Common& common, const std::map<std::string, std::string>& labels,
               const std::string& address, config::MapReader& reader, Targets& out) {
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
  AddOnce(std::move(options), out);
}

// A list of groups as it stands in static_configs and in files; `file` is empty or such a file.
void ReadTargets(const Common& common, const config::Node& list, const std::string& file,
                 config::Diagnostics& diagnostics, Targets& out) {
  if (!list.IsList()) {
    return diagnostics.Add(list.position, "has to be a list of groups of targets");
  }
  for (const auto& item : list.items) {
    config::MapReader reader(item, diagnostics,
                             file.empty() ? std::string(kContext) + ".static_configs" : "");
    std::vector<std::string> targets;
    std::map<std::string, std::string> labels;
    if (!reader.Read("targets", targets)) reader.Require("targets", "such as [127.0.0.1:9093]");
    reader.Read("labels", labels);
    if (!file.empty()) labels["__meta_filepath"] = file;
    reader.Finish();
    for (const auto& target : targets) AddTarget(common, labels, target, reader, out);
  }
}

// The files of one entry of `file_sd_configs`, read again and again.
class TargetFiles {
 public:
  using Lists = AlertmanagerDiscovery::Lists;

  TargetFiles(Common common, std::vector<std::string> patterns, std::filesystem::path folder)
      : common_(std::move(common)), patterns_(std::move(patterns)), folder_(std::move(folder)) {}

  // What they name now. A file that is wrong, or half written, counts as it was before.
  void Read(Targets& out) {
    std::map<std::filesystem::path, File> files;
    for (const auto& pattern : patterns_) {
      for (const auto& path : alerting::rules::FindFiles(pattern, folder_)) {
        if (files.contains(path)) continue;
        File& file = files[path] = std::move(files_[path]);
        ReadOne(path, file);
        for (const auto& target : file.targets) AddOnce(target, out);
      }
    }
    files_ = std::move(files);
  }

  void AddKnown(Lists& out) const {
    for (const auto& [path, file] : files_) {
      if (file.good) out.insert_or_assign(path, *file.good);
    }
  }

  void Recall(const Lists& known) {
    for (auto& [path, file] : files_) {
      const auto before = known.find(path);
      if (file.good || before == known.end()) continue;
      config::Diagnostics faults(path.string());
      Targets targets;
      ReadTargets(common_, before->second, path.string(), faults, targets);
      if (faults.ok()) file = {before->second, std::move(targets), std::move(file.fault)};
    }
  }

 private:
  struct File {
    std::optional<config::Node> good;  // what stood there when it was right last
    Targets targets;                   // that it names
    std::string fault;
  };

  void ReadOne(const std::filesystem::path& path, File& file) const {
    config::Diagnostics faults(path.string());
    Targets targets;
    auto list = config::LoadYaml(path, {}, faults);
    if (faults.ok()) ReadTargets(common_, list, path.string(), faults, targets);
    std::string fault = faults.ok() ? "" : faults.Lines().front();
    if (fault.empty()) {
      file.good = std::move(list);
      file.targets = std::move(targets);
    } else if (fault != file.fault) {
      log::Warn("a file of file_sd_configs counts as it was before", {{"error", fault}});
    }
    file.fault = std::move(fault);
  }

  const Common common_;
  const std::vector<std::string> patterns_;
  const std::filesystem::path folder_;
  std::map<std::filesystem::path, File> files_;
};

// All of `file_sd_configs`, behind the Alertmanagers that the configuration names itself.
class FileDiscovery final : public AlertmanagerDiscovery {
 public:
  FileDiscovery(Targets fixed, std::vector<TargetFiles> files)
      : fixed_(std::move(fixed)), files_(std::move(files)) {}

  std::vector<AlertmanagerOptions> Find() override {
    Targets targets = fixed_;
    for (auto& one : files_) one.Read(targets);
    return targets;
  }
  Lists Known() const override {
    Lists known;
    for (const auto& one : files_) one.AddKnown(known);
    return known;
  }
  void Recall(Lists known) override {
    for (auto& one : files_) one.Recall(known);
  }

 private:
  const Targets fixed_;
  std::vector<TargetFiles> files_;
};

void CheckPattern(const std::string& pattern, config::MapReader& reader) {
  const auto extension = std::filesystem::path(pattern).extension();
  if (extension == ".yml" || extension == ".yaml" || extension == ".json") return;
  reader.Fault("files", "'" + pattern + "' has to end in .yml, .yaml or .json");
}

// `file_sd_configs`.
std::vector<TargetFiles> ReadFileDiscovery(config::MapReader& entry, const Common& common,
                                           const std::filesystem::path& folder,
                                           Milliseconds& refresh) {
  std::vector<TargetFiles> out;
  const config::Node* const list = entry.Child("file_sd_configs");
  if (!list || list->IsNull()) return out;
  if (!list->IsList()) {
    entry.Fault("file_sd_configs", "has to be a list");
    return out;
  }
  for (const auto& item : list->items) {
    config::MapReader reader(item, entry.diagnostics(), std::string(kContext) + ".file_sd_configs");
    std::vector<std::string> patterns;
    if (!reader.Read("files", patterns)) reader.Require("files", "such as [alertmanagers/*.yml]");
    for (const auto& pattern : patterns) CheckPattern(pattern, reader);
    Milliseconds interval = refresh;
    reader.Read("refresh_interval", interval);
    refresh = std::min(refresh, interval);
    reader.Finish();
    out.emplace_back(common, std::move(patterns), folder);
  }
  return out;
}

// Prometheus knows many ways to find servers.
void RefuseOtherDiscovery(config::MapReader& reader) {
  for (const auto& [key, value] : reader.node().entries) {
    if (!key.text.ends_with("_sd_configs") || key.text == "file_sd_configs") continue;
    reader.Child(key.text);
    reader.Fault(key.text,
                 "this discovery is not there: name the Alertmanagers in static_configs or, by a "
                 "program that finds them, in file_sd_configs");
  }
}

void ReadOne(const config::Node& item, config::Diagnostics& diagnostics,
             const std::filesystem::path& folder, AlertmanagersOptions& out,
             std::vector<TargetFiles>& files) {
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
  auto found = ReadFileDiscovery(reader, common, folder, out.refresh);
  RefuseOtherDiscovery(reader);
  const config::Node* const targets = reader.Child("static_configs");
  if (!targets && found.empty()) {
    reader.Require("static_configs", "such as [{targets: [127.0.0.1:9093]}]");
  } else if (targets && !targets->IsList()) {
    reader.Fault("static_configs", "has to be a list");
  } else if (targets) {
    ReadTargets(common, *targets, {}, diagnostics, out.targets);
  }
  for (auto& one : found) files.push_back(std::move(one));
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
  std::vector<TargetFiles> files;
  for (const auto& item : list->items) ReadOne(item, alerting.diagnostics(), folder, out, files);
  if (!files.empty()) {
    out.discovery = std::make_shared<FileDiscovery>(out.targets, std::move(files));
    out.targets = out.discovery->Find();
  }
  return out;
}

}  // namespace vigia::exporter
