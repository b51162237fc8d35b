#include "alerting/route/tree.h"

#include <algorithm>

namespace vigia::alerting::route {
namespace {

// True if a child took the alert.
void Descend(const Route& route, const Labels& alert, std::vector<const Route*>& out) {
  const auto before = out.size();
  for (const auto& child : route.routes) {
    if (!MatchesAll(child->matchers, alert)) continue;
    Descend(*child, alert, out);
    if (!child->continues) break;
  }
  if (out.size() == before) out.push_back(&route);
}

}  // namespace

Labels Route::GroupLabels(const Labels& alert) const {
  if (group_by_all) return alert;
  std::vector<LabelView> group;
  for (const auto& name : group_by) {
    if (const auto value = alert.Get(name); !value.empty()) group.push_back({name, value});
  }
  return Labels::FromSorted(group);
}

std::vector<const Route*> Tree::Match(const Labels& alert) const {
  std::vector<const Route*> out;
  Descend(root, alert, out);
  return out;
}

std::string Tree::MutedBy(const Route& route, Timestamp time) const {
  for (const auto& name : route.mute_time_intervals) {
    const auto at = intervals.find(name);
    if (at != intervals.end() && at->second.Contains(time)) return name;
  }
  const auto& active = route.active_time_intervals;
  const auto contains = [&](const std::string& name) {
    const auto at = intervals.find(name);
    return at != intervals.end() && at->second.Contains(time);
  };
  if (active.empty() || std::any_of(active.begin(), active.end(), contains)) return {};
  std::string out = "outside of ";
  for (const auto& name : active) out += (&name == &active.front() ? "" : ", ") + name;
  return out;
}

}  // namespace vigia::alerting::route
