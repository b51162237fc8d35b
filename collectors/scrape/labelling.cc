#include "collectors/scrape/labelling.h"

#include <algorithm>
#include <string>
#include <vector>

namespace vigia::collectors::scrape {

Labelled Labelling::Apply(std::string_view name, std::span<const LabelView> labels) const {
  LabelsBuilder builder;
  builder.Set(kMetricName, name);
  for (const auto& label : labels) builder.Set(label.name, label.value);
  Attach(labels, builder);
  if (!options_.relabeling.Apply(builder)) return {Verdict::kDroppedByRule, {}};
  auto result = builder.Build();
  if (result.MetricName().empty()) return {Verdict::kWithoutName, {}};
  if (!WithinLimits(result)) return {Verdict::kOverLabelLimit, {}};
  return {Verdict::kKept, std::move(result)};
}

void Labelling::Attach(std::span<const LabelView> labels, LabelsBuilder& builder) const {
  std::vector<LabelView> clashing;
  for (const auto target : options_.target) {
    const auto own = std::find_if(labels.begin(), labels.end(),
                                  [&](const auto& label) { return label.name == target.name; });
    // Even an empty label is honored: that is how the Pushgateway says that it has no instance.
    if (options_.honor_labels && own != labels.end()) continue;
    if (own != labels.end() && !own->value.empty()) clashing.push_back(*own);
    builder.Set(target.name, target.value);
  }
  // The shortest first, so that {a, exported_a} become exported_a and exported_exported_a.
  std::stable_sort(clashing.begin(), clashing.end(),
                   [](const auto& a, const auto& b) { return a.name.size() < b.name.size(); });
  for (const auto& label : clashing) {
    std::string name(label.name);
    do {
      name.insert(0, "exported_");
    } while (!builder.Get(name).empty());
    builder.Set(name, label.value);
  }
}

bool Labelling::WithinLimits(const Labels& labels) const {
  const auto& limits = options_.limits;
  const auto fits = [](std::size_t size, std::int64_t limit) {
    return limit == 0 || size <= static_cast<std::size_t>(limit);
  };
  return fits(labels.size(), limits.count) &&
         std::all_of(labels.begin(), labels.end(), [&](const LabelView& label) {
           return fits(label.name.size(), limits.name_length) &&
                  fits(label.value.size(), limits.value_length);
         });
}

}  // namespace vigia::collectors::scrape
