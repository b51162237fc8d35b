#include "core/metric_table.h"

namespace vigia {

const Metric& MetricTable::Get(std::string_view name, std::string_view help, MetricType type,
                               std::string_view unit) {
  const auto at = entries_.find(name);
  if (at != entries_.end()) return at->second.metric;
  // Nodes of the table do not move, so views into key and entry stay valid.
  auto& [key, entry] =
      *entries_.emplace(name, Entry{std::string(help), std::string(unit), {}}).first;
  entry.metric = Metric{key, entry.help, type, entry.unit};
  return entry.metric;
}

const Metric* MetricTable::Find(std::string_view name) const {
  const auto at = entries_.find(name);
  return at == entries_.end() ? nullptr : &at->second.metric;
}

}  // namespace vigia
