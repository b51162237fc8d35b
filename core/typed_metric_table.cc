#include "core/typed_metric_table.h"

namespace vigia {

const Metric* TypedMetricTable::Get(std::string_view name, MetricType type, std::string_view help,
                                    std::string_view unit) {
  std::string key(name);
  key += ' ';
  key += TypeNameInOpenMetrics(type);
  if (const auto at = by_key_.find(key); at != by_key_.end()) return at->second;
  if (entries_.size() >= kMax) return nullptr;
  auto& entry =
      entries_.emplace_back(Entry{std::string(name), std::string(help), std::string(unit), {}});
  entry.metric = {entry.name, entry.help, type, entry.unit};
  by_key_.emplace(std::move(key), &entry.metric);
  return &entry.metric;
}

}  // namespace vigia
