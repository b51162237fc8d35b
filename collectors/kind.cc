#include "collectors/kind.h"

#include <algorithm>
#include <array>
#include <set>

namespace vigia::collectors {

#define KIND(key, default_name, interval, function, summary) \
  std::vector<Part> function(config::MapReader& options);
#include "collectors/collectors.def"
#undef KIND

namespace {

constexpr std::array kKinds{
#define KIND(key, default_name, interval, function, summary) \
  Kind{key, summary, interval, default_name, function},
#include "collectors/collectors.def"
#undef KIND
};

// Keys that mean the same in every kind.
struct CommonOptions {
  std::string name;
  Milliseconds interval{};
  Milliseconds timeout{};
  std::int64_t max_series = 0;  // 0: the part's own
  std::map<std::string, std::string> labels;
};

CommonOptions ReadCommon(const Kind& kind, config::MapReader& options) {
  CommonOptions common;
  common.name = kind.default_name;
  common.interval = kind.interval;
  options.Read("name", common.name);
  options.Read("interval", common.interval);
  if (common.interval < 100ms) options.Fault("interval", "has to be at least 100ms");
  // A collector that needs longer than its interval would never be on time.
  common.timeout = std::min<Milliseconds>(common.interval, 10s);
  if (options.Read("timeout", common.timeout) && common.timeout > common.interval) {
    options.Fault("timeout", "is longer than the interval of " + FormatDuration(common.interval));
  }
  options.Read("max_series", common.max_series, 1, 10'000'000);
  if (options.Read("labels", common.labels)) {
    for (const auto& [name, value] : common.labels) {
      if (!IsLegacyLabelName(name) || name.starts_with("__")) {
        options.Fault("labels", "'" + name + "' is not a label name");
      }
    }
  }
  if (common.name.empty()) options.Fault("name", "must not be empty");
  return common;
}

Labels ConstantLabels(const CommonOptions& common, bool with_target) {
  LabelsBuilder labels;
  if (with_target) labels.Set("target", common.name);
  for (const auto& [name, value] : common.labels) labels.Set(name, value);
  return labels.Build();
}

void ReadEntry(const Kind& kind, const config::Node& node, bool with_target,
               config::Diagnostics& diagnostics, std::set<std::string>& names,
               std::vector<Instance>& instances) {
  config::MapReader options(node, diagnostics, "collectors." + std::string(kind.name));
  const auto common = ReadCommon(kind, options);
  if (!names.insert(common.name).second) {
    options.Fault("name", "'" + common.name + "' is the name of another " + std::string(kind.name) +
                              " entry; give each its own name");
  }
  auto parts = kind.make(options);
  options.Finish();

  const std::string entry = std::string(kind.name) + "/" + common.name;
  for (auto& part : parts) {
    if (!part.on) continue;
    Instance instance;
    instance.id = {part.collector, common.name};
    instance.worker = entry + "/" + (part.worker.empty() ? part.collector : part.worker);
    instance.interval = part.interval > 0ms ? part.interval : common.interval;
    instance.timeout = part.timeout > 0ms ? part.timeout : common.timeout;
    instance.max_series =
        common.max_series > 0 ? static_cast<std::size_t>(common.max_series) : part.max_series;
    instance.constant_labels = ConstantLabels(common, with_target);
    instance.fingerprint =
        config::Canonical(node) + (with_target ? "+target" : "") + part.made_from;
    instance.impl = std::move(part.impl);
    instance.brief = part.brief;
    instances.push_back(std::move(instance));
  }
}

}  // namespace

std::span<const Kind> Kinds() { return kKinds; }

std::vector<Part> MakeDefaultParts(const Kind& kind) {
  const config::Node empty;
  config::Diagnostics ignored("defaults");
  config::MapReader options(empty, ignored);
  return kind.make(options);
}

std::vector<Instance> ReadCollectors(const config::Node& node, TargetLabel target_label,
                                     config::Diagnostics& diagnostics) {
  std::vector<Instance> instances;
  config::MapReader collectors(node, diagnostics, "collectors");
  for (const auto& kind : kKinds) {
    const config::Node* entries = collectors.Child(kind.name);
    if (!entries) continue;
    std::set<std::string> names;
    const bool several = entries->IsList() && entries->items.size() > 1;
    const bool with_target =
        target_label == TargetLabel::kAlways || (target_label == TargetLabel::kAuto && several);
    const std::span<const config::Node> list =
        entries->IsList() ? std::span(entries->items) : std::span(entries, 1);
    for (const auto& entry : list) {
      ReadEntry(kind, entry, with_target, diagnostics, names, instances);
    }
  }
  collectors.Finish();
  return instances;
}

}  // namespace vigia::collectors
