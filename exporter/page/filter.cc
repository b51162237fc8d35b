#include "exporter/page/filter.h"

#include <algorithm>

#include "collectors/host/part.h"

namespace vigia::exporter {

bool MatchesCollector(std::string_view wanted, std::string_view collector) {
  if (wanted == collector) return true;
  const auto dot = collector.find('.');
  if (dot == collector.npos) return false;
  const auto group = collector.substr(0, dot);
  const auto part = collector.substr(dot + 1);
  if (wanted == group || wanted == part) return true;
  if (group != "host") return false;
  const auto parts = collectors::host::Parts();
  return std::any_of(parts.begin(), parts.end(), [&](const auto& info) {
    return info.name == part && info.node_exporter == wanted;
  });
}

bool PageFilter::Shows(const InstanceId& instance) const {
  const auto matches = [&](const std::string& wanted) {
    return MatchesCollector(wanted, instance.collector);
  };
  if (!target.empty() && instance.name != target) return false;
  if (std::any_of(exclude.begin(), exclude.end(), matches)) return false;
  return collect.empty() || std::any_of(collect.begin(), collect.end(), matches);
}

bool PageFilter::ShowsFamily(std::string_view name) const {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace vigia::exporter
