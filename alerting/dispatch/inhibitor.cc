#include "alerting/dispatch/inhibitor.h"

namespace vigia::alerting::dispatch {

Inhibitor::Inhibitor(std::vector<route::InhibitRule> rules)
    : rules_(std::move(rules)), sources_(rules_.size()) {}

void Inhibitor::Update(AlertId fingerprint, const Labels& labels, Timestamp ends_at) {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (!rules_[i].IsSource(labels)) continue;
    sources_[i][rules_[i].EqualKey(labels)][fingerprint] = {ends_at, rules_[i].IsTarget(labels)};
  }
}

void Inhibitor::Remove(AlertId fingerprint, const Labels& labels) {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const auto at = sources_[i].find(rules_[i].EqualKey(labels));
    if (at == sources_[i].end()) continue;
    at->second.erase(fingerprint);
    if (at->second.empty()) sources_[i].erase(at);
  }
}

std::vector<Inhibitor::Cause> Inhibitor::InhibitedBy(const Labels& labels, Timestamp now) const {
  std::vector<Cause> causes;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (!rules_[i].IsTarget(labels)) continue;
    const auto at = sources_[i].find(rules_[i].EqualKey(labels));
    if (at == sources_[i].end()) continue;
    const bool two_sided = rules_[i].IsSource(labels);
    for (const auto& [fingerprint, source] : at->second) {
      if (source.ends_at <= now || (two_sided && source.two_sided)) continue;
      causes.push_back({fingerprint, i});
      break;
    }
  }
  return causes;
}

}  // namespace vigia::alerting::dispatch
