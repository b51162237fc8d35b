#include "query/remote_write/labelling.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace vigia::remote_write {
namespace {

constexpr std::size_t kMaxKnown = 500'000;

std::uint64_t StableHash(const Labels& labels) {
  std::uint64_t hash = 0;
  for (const auto [name, value] : labels) {
    hash = XXH3_64bits_withSeed(name.data(), name.size(), hash);
    hash = XXH3_64bits_withSeed(value.data(), value.size(), hash);
  }
  return hash;
}

}  // namespace

Labelling::Outgoing& Labelling::Of(const Labels& labels) {
  const auto found = known_.find(labels);
  return found != known_.end() ? found->second : known_.emplace(labels, Make(labels)).first->second;
}

void Labelling::Trim() {
  if (known_.size() > kMaxKnown) known_.clear();
}

Labelling::Outgoing Labelling::Make(const Labels& labels) const {
  Outgoing outgoing;
  outgoing.labels = labels;
  if (!external_labels_.empty() || !relabeling_.empty()) {
    LabelsBuilder builder(labels);
    for (const auto& [name, value] : external_labels_) {
      if (builder.Get(name).empty()) builder.Set(name, value);
    }
    outgoing.labels = relabeling_.Apply(builder) ? builder.Build() : Labels();
  }
  outgoing.hash = StableHash(outgoing.labels);
  return outgoing;
}

}  // namespace vigia::remote_write
