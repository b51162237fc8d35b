// Forming groups from what is known: after a restart, and when the configuration changes.

#include <algorithm>

#include "alerting/dispatch/dispatcher.h"
#include "core/log.h"

namespace vigia::alerting::dispatch {
namespace {

// Groups that belong to no route any more stand behind all others.
constexpr std::size_t kNoRoute = static_cast<std::size_t>(-1);

// The least pause before an end that could not be delivered is told again.
constexpr Milliseconds kOwedAgainAfter{60'000};

Labels RetiredId(const LogKey& key) {
  return Labels{{"group", key.group_key}, {"receiver", key.receiver}};
}

// Ended as its sender said, not because nobody was there to hear that it goes on.
bool SaidToHaveEnded(const KnownAlert& alert) {
  return alert.alert.ends_at <= alert.alert.updated_at;
}

}  // namespace

bool Changes::empty() const {
  return alerts.empty() && forgotten_alerts.empty() && silences.empty() &&
         forgotten_silences.empty() && acks.empty() && forgotten_acks.empty() && log.empty() &&
         forgotten_log.empty() && notices.empty() && results.empty() && events.empty();
}

bool Notice::AnyFiring() const { return CountFiring() > 0; }

std::size_t Notice::CountFiring() const {
  return static_cast<std::size_t>(std::count_if(
      alerts.begin(), alerts.end(), [&](const auto& alert) { return !alert->ResolvedAt(time); }));
}

void Dispatcher::Restore(Snapshot snapshot) {
  const std::lock_guard lock(mutex_);
  const Timestamp now = parts_.clock.Wall();
  const Timestamp least = plan_->config.resolve_timeout.count();
  constexpr Timestamp kMost = 4 * 3'600'000;  // of ends that people typed
  for (auto& alert : snapshot.alerts) {
    // As long as its sender had promised: a slow group of rules posts only then.
    const Timestamp promised = std::min(alert->alert.ends_at - alert->alert.updated_at, kMost);
    const Timestamp patience = now + std::max(least, promised);
    auto& state = alerts_[alert->fingerprint];
    state.alert = alert;
    if (SaidToHaveEnded(*alert)) {
      state.ended_at = alert->alert.ends_at;
    } else if (alert->alert.ends_at < patience) {
      auto longer = *alert;
      longer.alert.ends_at = patience;
      longer.end_assumed = true;
      state.alert = std::make_shared<const KnownAlert>(std::move(longer));
    }
    inhibitor_.Update(alert->fingerprint, alert->alert.labels, state.alert->alert.ends_at);
  }
  silences_.Apply(snapshot.silences);
  for (auto& ack : snapshot.acks) acks_[ack.fingerprint] = std::move(ack);
  log_ = std::move(snapshot.log);
  for (const auto& pending : snapshot.notices) {
    if (pending.dead) continue;
    for (const auto& alert : pending.notice.alerts) {
      if (!alert->ResolvedAt(pending.notice.time)) continue;
      ends_under_way_[pending.notice.id].push_back(alert);
    }
  }
  Regroup({});
  if (!alerts_.empty() || !log_.empty()) {
    log::Info("alerting state restored", {{"alerts", std::to_string(alerts_.size())},
                                          {"groups", std::to_string(groups_.size())}});
  }
}

void Dispatcher::Regroup(const std::map<std::pair<std::string, std::string>, Group>& pace) {
  groups_.clear();
  timers_.clear();
  const Timestamp now = parts_.clock.Wall();
  for (const auto& [fingerprint, state] : alerts_) {
    const auto& alert = *state.alert;
    for (const auto* route : plan_->config.tree.Match(alert.alert.labels)) {
      auto labels = route->GroupLabels(alert.alert.labels);
      const Group probe{.key = route->key + ":" + LabelSetText(labels),
                        .receiver = route->receiver};
      if (alert.ResolvedAt(now) && !IsOwed(probe, fingerprint)) continue;
      auto& group = GroupFor(*route, std::move(labels));
      group.alerts.insert(fingerprint);
    }
  }
  const auto instant = parts_.clock.Now();
  for (auto& [id, group] : groups_) {
    const auto old = pace.find({group.key, group.receiver});
    if (old != pace.end() && old->second.alerts == group.alerts) {
      group.flushed = old->second.flushed;
      group.last_told = old->second.last_told;
      Schedule(group, std::min(old->second.next_flush, instant + group.route->group_interval));
    } else {
      TakePaceFromLog(group, now);
    }
  }
  KeepOwed();
}

// A group that somebody was told about goes on in its old rhythm; if it has changed since, it is
// told about as soon as that allows. One that nobody knows waits as new ones do.
void Dispatcher::TakePaceFromLog(Group& group, Timestamp now) {
  const auto instant = parts_.clock.Now();
  const LogEntry* last = nullptr;
  const auto count = plan_->Integrations(group.receiver).size();
  for (std::size_t i = 0; i < count; ++i) {
    const auto at = log_.find({group.key, group.receiver, i});
    if (at != log_.end() && (!last || at->second.time > last->time)) last = &at->second;
  }
  if (!last) {
    Timestamp oldest = now;
    for (const auto fingerprint : group.alerts) {
      oldest = std::min(oldest, alerts_.at(fingerprint).alert->alert.starts_at);
    }
    const auto waited = Milliseconds(now - oldest);
    Schedule(group, instant + std::max(Milliseconds(0), group.route->group_wait - waited));
    return;
  }
  group.flushed = true;
  const auto interval = group.route->group_interval.count();
  const auto since = std::max<Timestamp>(0, now - last->time);
  group.last_told = instant - Milliseconds(since);
  AlertIds firing;
  for (const auto fingerprint : group.alerts) {
    if (!alerts_.at(fingerprint).alert->ResolvedAt(now)) firing.push_back(fingerprint);
  }
  const bool changed = firing != last->firing;
  const auto wait =
      changed ? std::max<Timestamp>(0, interval - since) : interval - since % interval;
  Schedule(group, instant + Milliseconds(wait));
}

void Dispatcher::KeepOwed() {
  std::map<std::pair<std::string, std::string>, Group*> current;
  for (auto& [id, group] : groups_) current[{group.key, group.receiver}] = &group;
  for (const auto& [key, entry] : log_) {
    if (entry.owed.empty()) continue;
    auto& group = current[{key.group_key, key.receiver}];
    group = JoinAsOwed(group, key, entry);
  }
}

Group* Dispatcher::JoinAsOwed(Group* group, const LogKey& key, const LogEntry& entry) {
  if (key.integration >= plan_->Integrations(key.receiver).size()) return group;
  AlertIds owed;
  for (const auto fingerprint : entry.owed) {
    if (alerts_.contains(fingerprint)) owed.push_back(fingerprint);
  }
  if (owed.empty()) return group;
  if (!group) {
    Group retired{.id = {kNoRoute, RetiredId(key)}, .labels = entry.group_labels};
    retired.key = key.group_key;
    retired.retired = true;
    retired.flushed = true;
    retired.receiver = key.receiver;
    retired.next_flush = Instant::max();
    const GroupId id = retired.id;
    group = &groups_.try_emplace(id, std::move(retired)).first->second;
    Schedule(*group, parts_.clock.Now());
  }
  group->emptied = false;
  for (const auto fingerprint : owed) {
    if (group->alerts.insert(fingerprint).second) group->guests.insert(fingerprint);
  }
  return group;
}

void Dispatcher::OweAgain(const LogKey& key, const std::vector<AlertPtr>& ended) {
  const auto at = log_.find(key);
  if (at == log_.end()) return;
  const Timestamp now = parts_.clock.Wall();
  auto& owed = at->second.owed;
  for (const auto& alert : ended) {
    if (alert->alert.ends_at + options_.retention.count() < now) continue;
    auto& state = alerts_[alert->fingerprint];
    if (!state.alert) {
      state.alert = alert;
      state.ended_at = alert->alert.ends_at;
      round_.alerts.push_back(alert);
    }
    const auto place = std::lower_bound(owed.begin(), owed.end(), alert->fingerprint);
    if (place == owed.end() || *place != alert->fingerprint) owed.insert(place, alert->fingerprint);
  }
  round_.log.emplace_back(key, at->second);
  // Not at once, or a receiver that rejects it would be asked without a pause.
  const auto found = std::find_if(groups_.begin(), groups_.end(), [&](const auto& item) {
    return item.second.key == key.group_key && item.second.receiver == key.receiver;
  });
  auto* group = JoinAsOwed(found == groups_.end() ? nullptr : &found->second, key, at->second);
  if (!group) return;
  const auto instant = parts_.clock.Now();
  const auto interval = group->route ? group->route->group_interval : kOwedAgainAfter;
  const auto tick = group->last_told.value_or(instant) + interval;
  Schedule(*group, std::max(tick, instant));
}

}  // namespace vigia::alerting::dispatch
