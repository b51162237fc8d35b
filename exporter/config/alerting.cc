#include "exporter/config/alerting.h"

#include <algorithm>
#include <array>

#include "alerting/templates/notification_template.h"
#include "core/config/yaml.h"
#include "exporter/config/section.h"

namespace vigia::exporter {
namespace {

using alerting::dispatch::Plan;
using alerting::route::AlertmanagerConfig;

// What tells people where nobody has said how.
constexpr std::string_view kLogAlone =
    "route: { receiver: log }\nreceivers: [ { name: log, log_configs: [ {} ] } ]\n";

std::string KindName(std::string_view key) {
  constexpr std::string_view kEnd = "_configs";
  return std::string(key.ends_with(kEnd) ? key.substr(0, key.size() - kEnd.size()) : key);
}

// The kinds of the integrations in the order in which ReadReceiver() makes them.
std::vector<std::string> KindsOf(const config::Node& receiver) {
  std::vector<std::string> kinds;
  for (const auto& kind : alerting::deliver::ReceiverKinds()) {
    const auto* list = receiver.Find(kind.key);
    if (list) kinds.insert(kinds.end(), list->items.size(), KindName(kind.key));
  }
  return kinds;
}

void CheckGlobals(const config::Node& global, config::Diagnostics& diagnostics) {
  if (global.IsNull()) return;
  config::MapReader map(global, diagnostics, "global");
  map.Child("resolve_timeout");
  map.Child("http_config");
  alerting::deliver::ClaimGlobals(map);
  map.Finish();
}

void MakeReceivers(const AlertmanagerConfig& from, const std::filesystem::path& folder,
                   config::Diagnostics& diagnostics, Plan& plan, AlertingConfig& out) {
  CheckGlobals(from.global, diagnostics);
  auto templates = alerting::templates::TemplateSet::Load(from.templates);
  if (!templates) {
    diagnostics.Add({}, "templates: " + templates.error().message());
    templates = alerting::templates::TemplateSet::Default();
  }
  for (const auto& receiver : from.receivers) {
    config::MapReader map(receiver.node, diagnostics, "receivers");
    map.Child("name");
    auto made =
        alerting::deliver::ReadReceiver(map, from.global, folder, *templates, SystemClock());
    map.Finish();
    const auto kinds = KindsOf(receiver.node);
    auto& integrations = plan.receivers[receiver.name];
    for (std::size_t i = 0; i < made.size(); ++i) {
      const auto kind = made.size() == kinds.size() ? kinds[i] : std::string();
      const auto pace = made[i]->pace();
      integrations.push_back({kind, made[i]->send_resolved()});
      out.lanes[{receiver.name, i}] = {kind, std::move(made[i]), pace.per_second, pace.burst};
    }
  }
}

void ReadPositive(config::MapReader& map, std::string_view key, int& out) {
  std::int64_t value = out;
  map.Read(key, value, 1, 100'000);
  out = static_cast<int>(value);
}

void ReadRates(const config::Node& node, config::Diagnostics& diagnostics, AlertingConfig& out) {
  config::MapReader rates(node, diagnostics, "alerting.delivery.rates");
  for (const auto& [name, value] : node.entries) {
    rates.Child(name.text);
    config::MapReader map(value, diagnostics, "alerting.delivery.rates." + name.text);
    double rate = 0;
    double burst = 1;
    if (!map.Read("rate", rate)) map.Require("rate", "messages per second, 0 for no limit");
    map.Read("burst", burst);
    if (!(rate >= 0)) map.Fault("rate", "has to be 0 (no limit) or more");
    if (!(burst >= 1)) map.Fault("burst", "has to be 1 or more");
    map.Finish();
    bool found = false;
    for (auto& [id, lane] : out.lanes) {
      if (id.receiver != name.text) continue;
      found = true;
      lane.rate = rate;
      lane.burst = burst;
    }
    if (!found) diagnostics.Add(name.position, "there is no receiver '" + name.text + "'");
  }
}

void ReadDelivery(const config::Node& node, config::Diagnostics& diagnostics, AlertingConfig& out) {
  config::MapReader map(node, diagnostics, "alerting.delivery");
  auto& delivery = out.delivery;
  map.Read("max_age", delivery.max_age);
  map.Read("attempt_timeout", delivery.attempt_timeout);
  map.Read("backoff_min", delivery.backoff_min);
  map.Read("backoff_max", delivery.backoff_max);
  ReadPositive(map, "workers", delivery.workers);
  ReadPositive(map, "fallback_after", delivery.fallback_after);
  if (map.Read("fallback_receiver", delivery.fallback) && out.plan &&
      !out.plan->receivers.contains(delivery.fallback)) {
    map.Fault("fallback_receiver", "there is no receiver '" + delivery.fallback + "'");
  }
  if (const auto* rates = map.Child("rates")) ReadRates(*rates, diagnostics, out);
  map.Finish();
}

AlertingConfig Made(AlertmanagerConfig read, const std::filesystem::path& folder,
                    config::Diagnostics& diagnostics) {
  AlertingConfig out;
  auto plan = std::make_shared<Plan>();
  MakeReceivers(read, folder, diagnostics, *plan, out);
  plan->config = std::move(read);
  out.plan = std::move(plan);
  return out;
}

AlertingConfig LogAlone() {
  config::Diagnostics none("defaults");
  const auto root = config::ParseYaml(kLogAlone, {}, none);
  config::MapReader map(root, none, "defaults");
  return Made(alerting::route::ReadAlertmanagerConfig(map, {}), {}, none);
}

// Faults of another file stand at the key that names it.
AlertingConfig LoadNamed(config::MapReader& map, const std::filesystem::path& path) {
  config::Diagnostics faults(path.string());
  auto out = LoadAlerting(path, faults);
  for (const auto& line : faults.Lines()) map.Fault("config_file", line);
  return out;
}

}  // namespace

AlertingConfig LoadAlerting(const std::filesystem::path& path, config::Diagnostics& diagnostics) {
  return Made(alerting::route::LoadAlertmanagerConfig(path, diagnostics), path.parent_path(),
              diagnostics);
}

std::shared_ptr<const AlertingConfig> DefaultAlerting() {
  return std::make_shared<const AlertingConfig>(LogAlone());
}

std::shared_ptr<const AlertingConfig> LoadAnyAlerting(const std::filesystem::path& path,
                                                      config::Diagnostics& diagnostics) {
  config::Diagnostics unread(path.string());
  const auto root = config::LoadYaml(path, {}, unread);
  std::shared_ptr<const AlertingConfig> out;
  if (root.Find("route") && !root.Find("alerting")) {
    out = std::make_shared<const AlertingConfig>(LoadAlerting(path, diagnostics));
  } else {
    out = LoadConfig(path, diagnostics).alerting;
  }
  return diagnostics.ok() ? out : nullptr;
}

void ReadAlerting(SectionInput& input, Config& config) {
  const config::Node* node = input.file.Child("alerting");
  if (!node || node->IsNull()) {
    config.alerting = DefaultAlerting();
    return;
  }
  config::MapReader map(*node, input.file.diagnostics(), "alerting");
  AlertingConfig out;
  std::filesystem::path file;
  if (map.Read("config_file", file)) {
    out = LoadNamed(map, input.Resolve(file));
  } else if (map.Has("route")) {
    out = Made(alerting::route::ReadAlertmanagerConfig(map, input.folder), input.folder,
               input.file.diagnostics());
  } else {
    out = LogAlone();
  }
  if (const auto* delivery = map.Child("delivery")) {
    ReadDelivery(*delivery, input.file.diagnostics(), out);
  }
  out.alertmanagers = ReadAlertmanagers(map, input.folder);
  map.Read("early_flush", out.dispatch.early_flush);
  map.Read("start_hold", out.dispatch.start_hold);
  map.Finish();
  config.alerting = std::make_shared<const AlertingConfig>(std::move(out));
}

}  // namespace vigia::exporter
