// Taking in: alerts, configurations, and the thread.

#include "alerting/dispatch/dispatcher.h"

#include <algorithm>
#include <unordered_set>

#include "core/log.h"

namespace vigia::alerting::dispatch {
namespace {

constexpr auto kCleanUpInterval = 30s;
// How long an alert that has ended stays known: its sender repeats the end for as long.
constexpr Timestamp kEndedStays = 15 * 60 * 1000;

bool SameStory(const KnownAlert& a, const KnownAlert& b, Timestamp now) {
  return a.alert.starts_at == b.alert.starts_at && a.alert.annotations == b.alert.annotations &&
         a.ResolvedAt(now) == b.ResolvedAt(now);
}

}  // namespace

Dispatcher::Dispatcher(Parts parts, Options options, std::shared_ptr<const Plan> plan)
    : parts_(parts),
      begun_(parts.clock.Now()),
      options_(options),
      plan_(std::move(plan)),
      inhibitor_(plan_->config.inhibit_rules),
      hold_until_(begun_ + options.start_hold),
      next_clean_up_(begun_ + kCleanUpInterval) {}

Dispatcher::~Dispatcher() { Stop(); }

void Dispatcher::Start() {
  thread_ = std::jthread([this](std::stop_token stop) { Run(std::move(stop)); });
}

void Dispatcher::Stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  Changes rest;
  {
    const std::lock_guard lock(mutex_);
    rest = std::exchange(rewrite_, false) ? Everything() : std::exchange(round_, {});
    ++taken_rounds_;
  }
  Settle(std::move(rest));
}

void Dispatcher::Release() {
  const std::lock_guard lock(mutex_);
  released_ = true;
  Wake();
}

void Dispatcher::Apply(std::shared_ptr<const Plan> plan, Options options) {
  const std::lock_guard lock(mutex_);
  options_ = options;
  hold_until_ = begun_ + options_.start_hold;
  std::map<std::pair<std::string, std::string>, Group> pace;
  for (auto& [id, group] : groups_) pace.try_emplace({group.key, group.receiver}, group);
  plan_ = std::move(plan);
  inhibitor_ = Inhibitor(plan_->config.inhibit_rules);
  for (const auto& [fingerprint, state] : alerts_) {
    inhibitor_.Update(fingerprint, state.alert->alert.labels, state.alert->alert.ends_at);
  }
  Regroup(pace);
  Wake();
}

void Dispatcher::Post(std::span<const alerting::Alert> alerts) {
  const std::lock_guard lock(mutex_);
  const Timestamp now = parts_.clock.Wall();
  for (const auto& alert : alerts) {
    ++stats_.received;
    const bool invalid = alert.labels.empty() || (alert.ends_at != 0 && alert.starts_at != 0 &&
                                                  alert.ends_at < alert.starts_at);
    if (invalid) {
      ++stats_.invalid;
    } else {
      TakeIn(alert, now);
    }
  }
  Wake();
}

void Dispatcher::Report(NoticeResult result) {
  const std::lock_guard lock(mutex_);
  TakeResult(result);
  round_.results.push_back(std::move(result));
  Wake();
}

void Dispatcher::Wake() {
  wanted_ = true;
  wake_.notify_all();
}

void Dispatcher::Run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      parts_.clock.WaitUntil(lock, wake_, stop, NextWake(), [this] { return wanted_; });
    }
    if (!stop.stop_requested()) Step();
  }
}

void Dispatcher::Step() {
  // What falls due meanwhile is for the next step, so that this one ends.
  const Instant now = parts_.clock.Now();
  for (bool more = true; more;) {
    Changes round;
    {
      const std::lock_guard lock(mutex_);
      wanted_ = false;
      more = FlushDue(now);
      if (parts_.clock.Now() >= next_clean_up_) CleanUp(parts_.clock.Wall());
      round = std::exchange(round_, {});
      ++taken_rounds_;
    }
    Settle(std::move(round));
  }
}

Instant Dispatcher::NextWork() const {
  const std::lock_guard lock(mutex_);
  return NextWake();
}

Instant Dispatcher::NextWake() const {
  Instant wake = next_clean_up_;
  if (timers_.empty()) return wake;
  const auto flush = timers_.begin()->first;
  return std::min(wake, released_ ? flush : std::max(flush, hold_until_));
}

void Dispatcher::Settle(Changes round) {
  if (!round.empty() && !Write(round) && !round.events.empty()) {
    parts_.events.Record(std::move(round.events));
  }
  if (!round.notices.empty()) parts_.notices.Submit(std::move(round.notices));
  const std::lock_guard lock(mutex_);
  ++settled_rounds_;
  settled_.notify_all();
}

void Dispatcher::AwaitSettled(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  const auto round = taken_rounds_ + 1;
  Wake();
  settled_.wait_for(lock, patience, [&] { return settled_rounds_ >= round; });
}

bool Dispatcher::Write(const Changes& changes) {
  const auto status = parts_.store.Commit(changes);
  const std::lock_guard lock(mutex_);
  const bool was_at_risk = std::exchange(stats_.state_at_risk, !status.has_value());
  if (status) return true;
  ++stats_.failed_writes;
  rewrite_ = true;
  missed_.Add(changes);
  stats_.state_at_risk = true;
  if (!was_at_risk) {
    log::Error("alerting state cannot be written; it lives in memory alone until it can",
               {{"error", status.error().message()}});
  }
  return false;
}

void Dispatcher::TakeIn(const alerting::Alert& alert, Timestamp now) {
  auto next = Complete(alert, now, plan_->config.resolve_timeout.count());
  auto& state = alerts_[next.fingerprint];
  if (state.alert) next = Merge(*state.alert, std::move(next), now);
  const bool is_new = !state.alert;
  const bool resolved = next.ResolvedAt(now);
  if (is_new && resolved && !std::any_of(log_.begin(), log_.end(), [&](const auto& item) {
        return Contains(item.second.owed, next.fingerprint);
      })) {
    // Nobody was told that it fires.
    alerts_.erase(next.fingerprint);
    return;
  }
  const bool was_resolved = !is_new && (state.ended_at != 0 || state.alert->ResolvedAt(now));
  const bool changed = is_new || was_resolved != resolved;
  const bool keep = is_new || was_resolved != resolved || !SameStory(*state.alert, next, now);
  const auto known = std::make_shared<const KnownAlert>(std::move(next));
  state.alert = known;
  state.ended_at = resolved ? (state.ended_at != 0 ? state.ended_at : now) : 0;
  inhibitor_.Update(known->fingerprint, known->alert.labels, known->alert.ends_at);
  if (keep) round_.alerts.push_back(known);
  if (changed) Route(*known, now);
  if (changed && resolved) Note("alert.ended", known->alert.labels);
  if (resolved && acks_.erase(known->fingerprint) > 0) {
    round_.forgotten_acks.push_back(known->fingerprint);
  }
}

void Dispatcher::Route(const KnownAlert& alert, Timestamp now) {
  std::string routes;
  for (const auto* route : plan_->config.tree.Match(alert.alert.labels)) {
    auto labels = route->GroupLabels(alert.alert.labels);
    routes += (routes.empty() ? "" : "; ") + route->key + " to " + route->receiver;
    if (alert.ResolvedAt(now)) {
      const auto at = groups_.find({route->index, labels});
      const bool known = at != groups_.end() && at->second.alerts.contains(alert.fingerprint);
      const Group probe{.key = route->key + ":" + LabelSetText(labels),
                        .receiver = route->receiver};
      if (!known && !IsOwed(probe, alert.fingerprint)) continue;
    }
    Join(GroupFor(*route, std::move(labels)), alert, now);
  }
  if (!alert.ResolvedAt(now)) Note("alert.routed", alert.alert.labels, {{"routes", routes}});
}

Group& Dispatcher::GroupFor(const route::Route& route, Labels labels) {
  auto [at, is_new] = groups_.try_emplace(GroupId{route.index, labels});
  Group& group = at->second;
  if (is_new) {
    group.id = at->first;
    group.route = &route;
    group.key = route.key + ":" + LabelSetText(labels);
    group.receiver = route.receiver;
    group.labels = std::move(labels);
    group.next_flush = Instant::max();
  }
  return group;
}

void Dispatcher::Join(Group& group, const KnownAlert& alert, Timestamp now) {
  group.alerts.insert(alert.fingerprint);
  group.guests.erase(alert.fingerprint);
  const auto instant = parts_.clock.Now();
  const auto wait = group.route->group_wait;
  if (!group.flushed) {
    // It began before it got here: it has waited long enough.
    const bool late = alert.alert.starts_at + wait.count() < now;
    const auto at = late ? instant : instant + wait;
    if (at < group.next_flush) Schedule(group, at);
    return;
  }
  const auto tick = group.last_told ? *group.last_told + group.route->group_interval : instant;
  const auto soon = std::max(instant + wait, tick);
  if (group.emptied) {
    group.emptied = false;
    Schedule(group, options_.early_flush ? soon : std::max(tick, instant));
  } else if (options_.early_flush && soon < group.next_flush) {
    Schedule(group, soon);
  }
}

void Dispatcher::Schedule(Group& group, Instant at) {
  timers_.erase({group.next_flush, &group});
  group.next_flush = at;
  timers_.emplace(at, &group);
}

void Dispatcher::CleanUp(Timestamp now) {
  next_clean_up_ = parts_.clock.Now() + kCleanUpInterval;
  std::unordered_set<AlertId> grouped;
  for (const auto& [id, group] : groups_) grouped.insert(group.alerts.begin(), group.alerts.end());
  for (auto at = alerts_.begin(); at != alerts_.end();) {
    const auto& alert = *at->second.alert;
    const bool old = alert.ResolvedAt(now) && alert.alert.ends_at + kEndedStays < now;
    if (!old || grouped.contains(alert.fingerprint)) {
      ++at;
      continue;
    }
    inhibitor_.Remove(alert.fingerprint, alert.alert.labels);
    round_.forgotten_alerts.push_back(alert.fingerprint);
    at = alerts_.erase(at);
  }
  round_.forgotten_silences = silences_.Forget(now - options_.retention.count());
  // The end of an alert that is forgotten is not told any more.
  for (auto& [key, entry] : log_) {
    const auto gone = std::erase_if(entry.owed, [&](AlertId id) { return !alerts_.contains(id); });
    if (gone > 0) round_.log.emplace_back(key, entry);
  }
  for (auto at = log_.begin(); at != log_.end();) {
    const bool old =
        at->second.owed.empty() && at->second.time + 2 * options_.retention.count() < now;
    if (old) round_.forgotten_log.push_back(at->first);
    at = old ? log_.erase(at) : std::next(at);
  }
  for (auto at = acks_.begin(); at != acks_.end();) {
    const bool over = !at->second.HoldsAt(now);
    if (over) round_.forgotten_acks.push_back(at->first);
    at = over ? acks_.erase(at) : std::next(at);
  }
  if (std::exchange(rewrite_, false)) round_ = Everything();
}

Changes Dispatcher::Everything() {
  Changes all = std::exchange(round_, {});
  missed_.MoveTo(all);
  // What has come back since is not to be forgotten.
  std::erase_if(all.forgotten_alerts, [&](AlertId id) { return alerts_.contains(id); });
  std::erase_if(all.forgotten_acks, [&](AlertId id) { return acks_.contains(id); });
  std::erase_if(all.forgotten_log, [&](const LogKey& key) { return log_.contains(key); });
  for (const auto& [fingerprint, state] : alerts_) all.alerts.push_back(state.alert);
  for (const auto& silence : silences_.List(parts_.clock.Wall())) all.silences.push_back(silence);
  for (const auto& [fingerprint, ack] : acks_) all.acks.push_back(ack);
  for (const auto& [key, entry] : log_) all.log.emplace_back(key, entry);
  return all;
}

void Dispatcher::Note(std::string type, const Labels& alert,
                      std::vector<std::pair<std::string, std::string>> details) {
  round_.events.push_back({parts_.clock.Wall(), std::move(type), alert, std::move(details)});
}

void Dispatcher::TakeResult(const NoticeResult& result) {
  missed_.Follow(result);
  static constexpr const char* kTypes[] = {"notification.failed", "notification.sent",
                                           "notification.dead", "notification.replaced"};
  Note(kTypes[static_cast<std::size_t>(result.state)], {},
       {{"id", result.id},
        {"receiver", result.key.receiver},
        {"group", result.key.group_key},
        {"attempt", std::to_string(result.attempts)},
        {"answer", result.answer}});
  if (result.state == NoticeResult::State::kRetrying) return;
  const auto told = ends_under_way_.extract(result.id);
  if (result.state != NoticeResult::State::kDead) return;
  if (!told.empty()) OweAgain(result.key, told.mapped());
  // Nobody got it: the next flush tells again, from what is true then.
  const auto at = log_.find(result.key);
  if (at == log_.end() || at->second.time > result.decided) return;
  at->second.firing.clear();
  round_.log.emplace_back(at->first, at->second);
}

}  // namespace vigia::alerting::dispatch
