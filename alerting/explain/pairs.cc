#include "alerting/explain/pairs.h"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace vigia::alerting::explain {
namespace {

// Sides are compared one with each other only to tell what differs.
constexpr std::size_t kLooked = 100;

bool Counts(const promql::VectorMatching& matching, std::string_view label) {
  const bool named =
      std::find(matching.labels.begin(), matching.labels.end(), label) != matching.labels.end();
  return matching.on ? named : !named && label != kMetricName;
}

Labels SignatureOf(const Labels& labels, const promql::VectorMatching& matching) {
  std::vector<LabelView> kept;
  for (const auto label : labels) {
    if (Counts(matching, label.name)) kept.push_back(label);
  }
  return Labels::FromSorted(kept);
}

std::set<std::string> Differing(const Labels& left, const Labels& right) {
  std::set<std::string> names;
  for (const auto [name, value] : left) {
    if (right.Get(name) != value) names.emplace(name);
  }
  for (const auto [name, value] : right) {
    if (left.Get(name) != value) names.emplace(name);
  }
  return names;
}

std::string Shown(std::string_view value) {
  return value.empty() ? "missing" : "\"" + std::string(value) + "\"";
}

}  // namespace

std::vector<Pair> PairsOf(const promql::InstantVector& left, const promql::InstantVector& right,
                          const promql::VectorMatching& matching) {
  std::unordered_map<Labels, std::vector<const promql::InstantSample*>> partners;
  for (const auto& sample : right) {
    partners[SignatureOf(sample.labels, matching)].push_back(&sample);
  }
  std::vector<Pair> out;
  for (const auto& sample : left) {
    const auto found = partners.find(SignatureOf(sample.labels, matching));
    if (found == partners.end()) continue;
    for (const auto* partner : found->second) out.push_back({&sample, partner});
  }
  return out;
}

std::string NearestMiss(const promql::InstantVector& left, const promql::InstantVector& right,
                        const promql::VectorMatching& matching) {
  Labels near_left;
  Labels near_right;
  std::set<std::string> fewest;
  for (std::size_t i = 0; i < std::min(kLooked, left.size()); ++i) {
    const Labels a = SignatureOf(left[i].labels, matching);
    for (std::size_t j = 0; j < std::min(kLooked, right.size()); ++j) {
      const Labels b = SignatureOf(right[j].labels, matching);
      auto names = Differing(a, b);
      if (names.empty() || (!fewest.empty() && names.size() >= fewest.size())) continue;
      fewest = std::move(names);
      near_left = a;
      near_right = b;
    }
  }
  std::string out;
  for (const auto& name : fewest) {
    out += out.empty() ? "" : ", ";
    out += name + " is " + Shown(near_left.Get(name)) + " on the left and " +
           Shown(near_right.Get(name)) + " on the right";
  }
  return out;
}

}  // namespace vigia::alerting::explain
