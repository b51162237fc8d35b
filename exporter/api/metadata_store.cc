#include "exporter/api/metadata_store.h"

namespace vigia::api {
namespace {

constexpr std::size_t kMostMetrics = 50'000;
constexpr std::size_t kMostBytes = 16 << 20;

std::size_t SizeOf(const MetricDescription& description) {
  return sizeof(description) + 2 * description.name.size() + description.help.size() +
         description.unit.size();
}

}  // namespace

void MetadataStore::Add(const std::vector<MetricDescription>& descriptions) {
  if (descriptions.empty()) return;
  const std::lock_guard lock(mutex_);
  for (const auto& description : descriptions) {
    const auto at = by_name_.find(description.name);
    const std::size_t before = at == by_name_.end() ? 0 : SizeOf(at->second);
    if (before == 0 && by_name_.size() >= kMostMetrics) continue;
    if (bytes_ - before + SizeOf(description) > kMostBytes) continue;
    bytes_ += SizeOf(description) - before;
    by_name_.insert_or_assign(description.name, description);
  }
}

std::vector<MetricDescription> MetadataStore::Get(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  std::vector<MetricDescription> found;
  for (const auto& [key, description] : by_name_) {
    if (name.empty() || key == name) found.push_back(description);
  }
  return found;
}

}  // namespace vigia::api
