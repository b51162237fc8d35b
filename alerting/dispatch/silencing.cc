// What people say to the dispatcher: silences and acknowledgements.

#include <algorithm>

#include "alerting/dispatch/dispatcher.h"

namespace vigia::alerting::dispatch {
namespace {

std::string MatchersText(const Silence& silence) {
  std::string out;
  for (const auto& set : silence.matchers) {
    if (!out.empty()) out += " or ";
    out += route::ToString(set);
  }
  return out;
}

}  // namespace

// The edit is written before it counts, and one at a time, so that two edits cannot both be made
// from what was true before.
Result<std::string> Dispatcher::SetSilence(Silence silence) {
  const std::lock_guard edits(silence_mutex_);
  Result<SilenceBook::Edit> edit;
  {
    const std::lock_guard lock(mutex_);
    edit = silences_.PrepareSet(std::move(silence), parts_.clock.Wall());
  }
  if (!edit) return Fail(edit.error());
  Changes changes;
  changes.silences = *edit;
  Write(changes);  // in memory at least: a silence that is not kept is better than none
  const auto& last = edit->back();
  const std::lock_guard lock(mutex_);
  silences_.Apply(*edit);
  Note("silence.set", {},
       {{"id", last.id},
        {"by", last.created_by},
        {"comment", last.comment},
        {"matchers", MatchersText(last)},
        {"ends_at", std::to_string(last.ends_at)}});
  Wake();
  return last.id;
}

Status Dispatcher::ExpireSilence(std::string_view id) {
  const std::lock_guard edits(silence_mutex_);
  Result<SilenceBook::Edit> edit;
  {
    const std::lock_guard lock(mutex_);
    edit = silences_.PrepareExpire(id, parts_.clock.Wall());
  }
  if (!edit) return Fail(edit.error());
  if (edit->empty()) return Ok();
  Changes changes;
  changes.silences = *edit;
  Write(changes);
  const std::lock_guard lock(mutex_);
  silences_.Apply(*edit);
  Note("silence.expired", {}, {{"id", std::string(id)}});
  Wake();
  return Ok();
}

std::vector<Silence> Dispatcher::Silences() const {
  const std::lock_guard lock(mutex_);
  return silences_.List(parts_.clock.Wall());
}

std::vector<AlertPtr> Dispatcher::MatchingFiring(const route::Matchers& matchers,
                                                 Timestamp now) const {
  std::vector<AlertPtr> out;
  for (const auto& [fingerprint, state] : alerts_) {
    const auto& alert = *state.alert;
    if (!alert.ResolvedAt(now) && route::MatchesAll(matchers, alert.alert.labels)) {
      out.push_back(state.alert);
    }
  }
  return out;
}

Result<std::vector<AlertPtr>> Dispatcher::Acknowledge(const route::Matchers& matchers,
                                                      Acknowledgement ack) {
  const std::lock_guard edits(silence_mutex_);
  std::vector<AlertPtr> alerts;
  {
    const std::lock_guard lock(mutex_);
    ack.time = parts_.clock.Wall();
    alerts = MatchingFiring(matchers, ack.time);
  }
  if (alerts.empty()) return Fail(ErrorCode::kUnavailable, "no alert that fires matches");
  if (!ack.HoldsAt(ack.time)) return Fail(ErrorCode::kInvalid, "until can't be in the past");
  Changes changes;
  for (const auto& alert : alerts) {
    ack.fingerprint = alert->fingerprint;
    changes.acks.push_back(ack);
  }
  Write(changes);
  const std::lock_guard lock(mutex_);
  for (const auto& one : changes.acks) acks_[one.fingerprint] = one;
  for (const auto& alert : alerts) {
    Note("alert.acknowledged", alert->alert.labels,
         {{"by", ack.by}, {"comment", ack.comment}, {"until", std::to_string(ack.until)}});
  }
  Wake();
  return alerts;
}

std::size_t Dispatcher::Unacknowledge(const route::Matchers& matchers) {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto& alert : MatchingFiring(matchers, parts_.clock.Wall())) {
    if (acks_.erase(alert->fingerprint) == 0) continue;
    ++count;
    round_.forgotten_acks.push_back(alert->fingerprint);
    Note("alert.unacknowledged", alert->alert.labels);
  }
  Wake();
  return count;
}

}  // namespace vigia::alerting::dispatch
