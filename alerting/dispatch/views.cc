// What the dispatcher shows of itself.

#include <algorithm>

#include "alerting/dispatch/dispatcher.h"

namespace vigia::alerting::dispatch {

std::shared_ptr<const Plan> Dispatcher::plan() const {
  const std::lock_guard lock(mutex_);
  return plan_;
}

AlertView Dispatcher::ViewOf(const KnownAlert& alert, Timestamp now) const {
  AlertView view;
  const auto& labels = alert.alert.labels;
  view.silenced_by = silences_.Silencing(labels, now);
  for (const auto& cause : inhibitor_.InhibitedBy(labels, now)) {
    if (std::find(view.inhibited_by.begin(), view.inhibited_by.end(), cause.source) ==
        view.inhibited_by.end()) {
      view.inhibited_by.push_back(cause.source);
    }
  }
  const auto add = [](std::vector<std::string>& list, std::string text) {
    if (!text.empty() && std::find(list.begin(), list.end(), text) == list.end()) {
      list.push_back(std::move(text));
    }
  };
  bool muted_everywhere = true;
  std::vector<std::string> muted;
  for (const auto* route : plan_->config.tree.Match(labels)) {
    add(view.receivers, route->receiver);
    auto by = plan_->config.tree.MutedBy(*route, now);
    muted_everywhere = muted_everywhere && !by.empty();
    add(muted, std::move(by));
  }
  if (muted_everywhere) view.muted_by = std::move(muted);
  const auto ack = acks_.find(alert.fingerprint);
  if (ack != acks_.end() && ack->second.HoldsAt(now)) view.ack = ack->second;
  return view;
}

std::vector<AlertView> Dispatcher::Alerts(bool resolved) const {
  std::vector<AlertView> views;
  {
    const std::lock_guard lock(mutex_);
    const Timestamp now = parts_.clock.Wall();
    for (const auto& [fingerprint, state] : alerts_) {
      if (!resolved && state.alert->ResolvedAt(now)) continue;
      views.push_back(ViewOf(*state.alert, now));
      views.back().alert = state.alert;
    }
  }
  std::sort(views.begin(), views.end(), [](const AlertView& a, const AlertView& b) {
    return a.alert->fingerprint < b.alert->fingerprint;
  });
  return views;
}

std::vector<GroupView> Dispatcher::Groups() const {
  std::vector<GroupView> views;
  {
    const std::lock_guard lock(mutex_);
    const Timestamp now = parts_.clock.Wall();
    for (const auto& [id, group] : groups_) {
      GroupView view{.labels = group.labels, .key = group.key, .receiver = group.receiver};
      if (group.route) view.muted_by = plan_->config.tree.MutedBy(*group.route, now);
      for (const auto fingerprint : group.alerts) {
        const auto at = alerts_.find(fingerprint);
        if (at == alerts_.end() || at->second.alert->ResolvedAt(now)) continue;
        view.alerts.push_back(ViewOf(*at->second.alert, now));
        view.alerts.back().alert = at->second.alert;
      }
      if (!view.alerts.empty()) views.push_back(std::move(view));
    }
  }
  std::sort(views.begin(), views.end(), [](const GroupView& a, const GroupView& b) {
    return std::tie(a.labels, a.receiver) < std::tie(b.labels, b.receiver);
  });
  return views;
}

std::vector<WayView> Dispatcher::Ways(AlertId fingerprint) const {
  std::vector<WayView> ways;
  const std::lock_guard lock(mutex_);
  const auto known = alerts_.find(fingerprint);
  if (known == alerts_.end()) return ways;
  const Timestamp now = parts_.clock.Wall();
  const Instant instant = parts_.clock.Now();
  const auto& labels = known->second.alert->alert.labels;
  for (const auto* route : plan_->config.tree.Match(labels)) {
    const auto group_labels = route->GroupLabels(labels);
    WayView way{.route = route->key, .receiver = route->receiver};
    way.group_key = route->key + ":" + LabelSetText(group_labels);
    way.muted_by = plan_->config.tree.MutedBy(*route, now);
    way.waiting_for_start = Held(instant);
    if (const auto group = groups_.find({route->index, group_labels}); group != groups_.end()) {
      way.grouped = group->second.alerts.contains(fingerprint);
      way.flushed = group->second.flushed;
      way.next_flush = std::max(
          Milliseconds(0), std::chrono::ceil<Milliseconds>(group->second.next_flush - instant));
    }
    const auto& integrations = plan_->Integrations(route->receiver);
    for (std::size_t i = 0; i < integrations.size(); ++i) {
      WayView::Told told{.integration = i, .kind = integrations[i].kind};
      const auto entry = log_.find({way.group_key, route->receiver, i});
      if (entry != log_.end()) told.entry = entry->second;
      way.told.push_back(std::move(told));
    }
    ways.push_back(std::move(way));
  }
  return ways;
}

DispatcherStats Dispatcher::stats() const {
  const std::lock_guard lock(mutex_);
  DispatcherStats stats = stats_;
  const Timestamp now = parts_.clock.Wall();
  for (const auto& [fingerprint, state] : alerts_) {
    if (state.alert->ResolvedAt(now)) {
      ++stats.resolved_alerts;
    } else {
      ++(state.suppressed_by.empty() ? stats.alerts : stats.suppressed_alerts);
    }
  }
  stats.groups = groups_.size();
  stats.silences_active = silences_.CountIn(SilenceState::kActive, now);
  stats.silences_pending = silences_.CountIn(SilenceState::kPending, now);
  stats.silences_expired = silences_.CountIn(SilenceState::kExpired, now);
  return stats;
}

}  // namespace vigia::alerting::dispatch
