#include "alerting/dispatch/log.h"

#include <algorithm>

namespace vigia::alerting::dispatch {
namespace {

bool AnyIn(const AlertIds& some, const AlertIds& whole) {
  return std::any_of(some.begin(), some.end(),
                     [&](AlertId fingerprint) { return Contains(whole, fingerprint); });
}

}  // namespace

bool Contains(const AlertIds& set, AlertId fingerprint) {
  return std::binary_search(set.begin(), set.end(), fingerprint);
}

bool IsSubset(const AlertIds& part, const AlertIds& whole) {
  return std::includes(whole.begin(), whole.end(), part.begin(), part.end());
}

std::string_view Text(Reason reason) {
  switch (reason) {
    case Reason::kFirst:
      return "first notification";
    case Reason::kNewAlerts:
      return "new alerts added";
    case Reason::kSomeResolved:
      return "some alerts resolved";
    case Reason::kAllResolved:
      return "all alerts resolved";
    case Reason::kRepeat:
      return "repeat interval elapsed";
  }
  return "";
}

std::optional<Reason> Decide(const Situation& situation) {
  const auto& [entry, firing, resolved, send_resolved, repeat_interval, now] = situation;
  if (!entry) return firing.empty() ? std::nullopt : std::optional(Reason::kFirst);
  if (!IsSubset(firing, entry->firing)) {
    return entry->firing.empty() ? Reason::kFirst : Reason::kNewAlerts;
  }
  const bool owed = AnyIn(resolved, entry->owed);
  if (firing.empty()) {
    // Also where resolves are not sent: the log has to forget what fired.
    return !entry->firing.empty() || owed ? std::optional(Reason::kAllResolved) : std::nullopt;
  }
  if (send_resolved && (owed || !IsSubset(resolved, entry->resolved))) return Reason::kSomeResolved;
  if (entry->time <= now - repeat_interval) return Reason::kRepeat;
  return std::nullopt;
}

LogEntry Told(const LogEntry* before, const Situation& situation, Labels group_labels) {
  LogEntry entry;
  entry.time = situation.now;
  entry.firing = situation.firing;
  entry.resolved = situation.resolved;
  entry.group_labels = std::move(group_labels);
  const AlertIds nothing;
  const auto& before_owed = before ? before->owed : nothing;
  AlertIds owed;
  std::set_union(situation.firing.begin(), situation.firing.end(), before_owed.begin(),
                 before_owed.end(), std::back_inserter(owed));
  std::set_difference(owed.begin(), owed.end(), situation.resolved.begin(),
                      situation.resolved.end(), std::back_inserter(entry.owed));
  return entry;
}

}  // namespace vigia::alerting::dispatch
