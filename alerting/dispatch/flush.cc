// Deciding: what a group's flush comes to.

#include <algorithm>
#include <array>

#include "alerting/dispatch/dispatcher.h"

namespace vigia::alerting::dispatch {
namespace {

// How long an empty group keeps its pace.
constexpr auto kEmptyStays = 30s;
constexpr Milliseconds kRetiredInterval{60'000};
// The first groups of a storm do not wait until the last is decided, and what is decided takes
// memory until it is written.
constexpr std::size_t kGroupsPerRound = 500;

Milliseconds Interval(const Group& group) {
  return group.route ? group.route->group_interval : kRetiredInterval;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ",") + word;
  return out;
}

}  // namespace

bool Dispatcher::FlushDue(Instant now) {
  if (Held(now)) return false;
  const auto is_due = [&] { return !timers_.empty() && timers_.begin()->first <= now; };
  for (std::size_t i = 0; i < kGroupsPerRound && is_due(); ++i) Flush(*timers_.begin()->second);
  return is_due();
}

void Dispatcher::Flush(Group& group) {
  if (group.alerts.empty()) return Erase(group);
  const Timestamp now = parts_.clock.Wall();
  const auto instant = parts_.clock.Now();
  group.flushed = true;
  group.emptied = false;
  Schedule(group, instant + Interval(group));
  auto alerts = TakeStock(group, now);
  std::erase_if(alerts, [&](const AlertPtr& alert) {
    return group.guests.contains(alert->fingerprint) && !alert->ResolvedAt(now);
  });
  const bool held = HeldByInterval(group, now);
  if (!held && Tell(group, alerts, now)) group.last_told = instant;
  DropEnded(group, alerts, held, now);
  if (group.alerts.empty()) {
    group.emptied = true;
    Schedule(group, std::min(group.next_flush, instant + kEmptyStays));
  }
}

void Dispatcher::Erase(Group& group) {
  timers_.erase({group.next_flush, &group});
  const GroupId id = group.id;
  groups_.erase(id);
}

// The alerts as they are now, sorted by labels. Those that ended since, because nobody sent them
// again, are written down as ended.
std::vector<AlertPtr> Dispatcher::TakeStock(const Group& group, Timestamp now) {
  std::vector<AlertPtr> alerts;
  for (const auto fingerprint : group.alerts) {
    const auto at = alerts_.find(fingerprint);
    if (at == alerts_.end()) continue;
    auto& state = at->second;
    if (state.ended_at == 0 && state.alert->ResolvedAt(now)) {
      state.ended_at = now;
      if (acks_.erase(fingerprint) > 0) round_.forgotten_acks.push_back(fingerprint);
      auto ended = *state.alert;
      ended.alert.updated_at = now;
      state.alert = std::make_shared<const KnownAlert>(std::move(ended));
      round_.alerts.push_back(state.alert);
      Note("alert.ended", state.alert->alert.labels, {{"cause", "not sent again"}});
    }
    alerts.push_back(state.alert);
  }
  std::sort(alerts.begin(), alerts.end(),
            [](const AlertPtr& a, const AlertPtr& b) { return a->alert.labels < b->alert.labels; });
  return alerts;
}

bool Dispatcher::HeldByInterval(Group& group, Timestamp now) {
  if (!group.route) return false;
  auto by = plan_->config.tree.MutedBy(*group.route, now);
  if (by != group.muted_by) {
    Note(by.empty() ? "group.unmuted" : "group.muted", {},
         {{"group", group.key}, {"receiver", group.receiver}, {"by", by}});
    group.muted_by = std::move(by);
  }
  return !group.muted_by.empty();
}

std::string Dispatcher::SuppressedBy(const Labels& labels, Timestamp now) const {
  if (const auto causes = inhibitor_.InhibitedBy(labels, now); !causes.empty()) {
    return "inhibited by " + FingerprintText(causes.front().source);
  }
  if (const auto ids = silences_.Silencing(labels, now); !ids.empty()) {
    return "silenced by " + Joined(ids);
  }
  return {};
}

bool Dispatcher::Tell(Group& group, const std::vector<AlertPtr>& alerts, Timestamp now) {
  AlertIds suppressed;
  for (const auto& alert : alerts) {
    auto by = SuppressedBy(alert->alert.labels, now);
    auto& state = alerts_.at(alert->fingerprint);
    if (by != state.suppressed_by) {
      Note(by.empty() ? "alert.unsuppressed" : "alert.suppressed", alert->alert.labels,
           {{"by", by}});
      if (!by.empty()) ++stats_.suppressed;
    }
    if (!by.empty()) suppressed.push_back(alert->fingerprint);
    state.suppressed_by = std::move(by);
  }
  std::sort(suppressed.begin(), suppressed.end());

  bool told = false;
  const auto& integrations = plan_->Integrations(group.receiver);
  for (std::size_t i = 0; i < integrations.size(); ++i) {
    const auto entry = log_.find({group.key, group.receiver, i});
    std::vector<AlertPtr> passing;
    for (const auto& alert : alerts) {
      // Whoever was told that it fires hears of its end, too.
      const bool owed = alert->ResolvedAt(now) && entry != log_.end() &&
                        Contains(entry->second.owed, alert->fingerprint);
      if (owed || !Contains(suppressed, alert->fingerprint)) passing.push_back(alert);
    }
    if (!passing.empty()) told |= TellOne(group, i, integrations[i], passing, now);
  }
  return told;
}

bool Dispatcher::TellOne(Group& group, std::size_t index, const Integration& integration,
                         const std::vector<AlertPtr>& passing, Timestamp now) {
  const LogKey key{group.key, group.receiver, index};
  const auto before = log_.find(key);
  Situation situation;
  situation.entry = before == log_.end() ? nullptr : &before->second;
  situation.send_resolved = integration.send_resolved;
  situation.repeat_interval = group.route ? group.route->repeat_interval.count() : 0;
  situation.now = now;
  for (const auto& alert : passing) {
    (alert->ResolvedAt(now) ? situation.resolved : situation.firing).push_back(alert->fingerprint);
  }
  std::sort(situation.firing.begin(), situation.firing.end());
  std::sort(situation.resolved.begin(), situation.resolved.end());
  const auto reason = Decide(situation);
  if (!reason) return false;
  const bool about_ends = reason == Reason::kSomeResolved || reason == Reason::kAllResolved;
  if (group.retired && !about_ends) return false;
  if (reason == Reason::kRepeat && AllAcknowledged(situation.firing, now)) return false;

  auto entry = Told(situation.entry, situation, group.labels);
  round_.log.emplace_back(key, entry);
  log_[key] = std::move(entry);

  Notice notice{.id = NewUuid(), .key = key, .group_labels = group.labels};
  if (group.route) notice.route_labels = group.route->labels;
  notice.time = now;
  notice.reason = Text(*reason);
  for (const auto& alert : passing) {
    if (!alert->ResolvedAt(now)) notice.alerts.push_back(alert);
  }
  for (const auto& alert : passing) {
    if (integration.send_resolved && alert->ResolvedAt(now)) notice.alerts.push_back(alert);
  }
  if (notice.alerts.empty()) return false;
  ++stats_.notices;
  Note("notification.queued", {},
       {{"id", notice.id},
        {"receiver", group.receiver},
        {"integration", integration.kind},
        {"group", group.key},
        {"reason", notice.reason},
        {"firing", std::to_string(situation.firing.size())},
        {"resolved", std::to_string(notice.alerts.size() - situation.firing.size())}});
  const std::vector<AlertPtr> ended(
      notice.alerts.begin() + static_cast<std::ptrdiff_t>(situation.firing.size()),
      notice.alerts.end());
  if (!ended.empty()) ends_under_way_[notice.id] = ended;
  round_.notices.push_back(std::move(notice));
  return true;
}

bool Dispatcher::AllAcknowledged(const AlertIds& firing, Timestamp now) const {
  return !firing.empty() && std::all_of(firing.begin(), firing.end(), [&](AlertId fingerprint) {
    const auto at = acks_.find(fingerprint);
    return at != acks_.end() && at->second.HoldsAt(now);
  });
}

bool Dispatcher::IsOwed(const Group& group, AlertId fingerprint) const {
  const auto count = plan_->Integrations(group.receiver).size();
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry = log_.find({group.key, group.receiver, i});
    if (entry != log_.end() && Contains(entry->second.owed, fingerprint)) return true;
  }
  return false;
}

// What has ended leaves the group once its end was dealt with; while an interval mutes the route,
// those whose end is owed wait.
void Dispatcher::DropEnded(Group& group, const std::vector<AlertPtr>& flushed, bool keep_owed,
                           Timestamp now) {
  for (const auto& alert : flushed) {
    if (!alert->ResolvedAt(now)) continue;
    if (keep_owed && IsOwed(group, alert->fingerprint)) continue;
    group.alerts.erase(alert->fingerprint);
    group.guests.erase(alert->fingerprint);
  }
  std::erase_if(group.alerts, [&](AlertId fingerprint) { return !alerts_.contains(fingerprint); });
}

}  // namespace vigia::alerting::dispatch
