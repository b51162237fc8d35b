#include "alerting/dispatch/silence.h"

#include <algorithm>

#include "alerting/dispatch/identity.h"
#include "core/text/utf8.h"

namespace vigia::alerting::dispatch {
namespace {

// As Alertmanager asks: what is said by `!=` and `!~` never does.
bool MatchesEmpty(const route::Matcher& matcher) {
  const auto op = matcher.op();
  const bool positive = op == route::Matcher::Op::kEqual || op == route::Matcher::Op::kRegex;
  return positive && matcher.MatchesValue("");
}

Status Check(const Silence& silence, Timestamp now) {
  if (silence.matchers.empty()) return Fail(ErrorCode::kInvalid, "at least one matcher required");
  for (const auto& set : silence.matchers) {
    if (set.empty()) return Fail(ErrorCode::kInvalid, "at least one matcher required");
    // One that fits alerts without the label silences what nobody thought of.
    if (std::all_of(set.begin(), set.end(), MatchesEmpty)) {
      return Fail(ErrorCode::kInvalid, "at least one matcher must not match the empty string");
    }
  }
  if (silence.starts_at == 0) return Fail(ErrorCode::kInvalid, "invalid zero start timestamp");
  if (silence.ends_at == 0) return Fail(ErrorCode::kInvalid, "invalid zero end timestamp");
  if (silence.ends_at <= silence.starts_at) {
    return Fail(ErrorCode::kInvalid, "end time must be after start time");
  }
  if (silence.ends_at <= now) return Fail(ErrorCode::kInvalid, "end time can't be in the past");
  return Ok();
}

// In whatever order they stand.
bool Same(std::vector<route::Matchers> a, std::vector<route::Matchers> b) {
  for (auto* const sets : {&a, &b}) {
    for (auto& set : *sets) std::sort(set.begin(), set.end());
  }
  return a == b;
}

// Whether `next` can take the place of `old` without changing what has already been silenced.
bool CanReplace(const Silence& old, const Silence& next, Timestamp now) {
  if (!Same(old.matchers, next.matchers)) return false;
  switch (old.StateAt(now)) {
    case SilenceState::kPending:
      return next.starts_at >= now;
    case SilenceState::kActive:
      // Clients send whole seconds back.
      return next.starts_at / 1000 == old.starts_at / 1000 && next.ends_at >= now;
    case SilenceState::kExpired:
      return false;
  }
  return false;
}

}  // namespace

std::string_view Name(SilenceState state) {
  switch (state) {
    case SilenceState::kPending:
      return "pending";
    case SilenceState::kActive:
      return "active";
    case SilenceState::kExpired:
      return "expired";
  }
  return "";
}

SilenceState Silence::StateAt(Timestamp now) const {
  if (now < starts_at) return SilenceState::kPending;
  return now < ends_at ? SilenceState::kActive : SilenceState::kExpired;
}

bool Silence::Matches(const Labels& labels) const {
  return std::any_of(matchers.begin(), matchers.end(),
                     [&](const auto& set) { return route::MatchesAll(set, labels); });
}

Result<SilenceBook::Edit> SilenceBook::PrepareSet(Silence silence, Timestamp now) const {
  if (auto status = Check(silence, now); !status) return Fail(status.error());
  silence.updated_at = now;
  Edit edit;
  if (!silence.id.empty()) {
    const Silence* old = Find(silence.id);
    if (!old) return Fail(ErrorCode::kUnavailable, "silence " + silence.id + " not found");
    if (CanReplace(*old, silence, now)) {
      edit.push_back(std::move(silence));
      return edit;
    }
    if (old->StateAt(now) != SilenceState::kExpired) {
      auto ended = PrepareExpire(silence.id, now);
      if (!ended) return Fail(ended.error());
      edit = *std::move(ended);
    }
  }
  // What has not been silenced so far cannot have been: a new silence begins now at the earliest.
  silence.starts_at = std::max(silence.starts_at, now);
  silence.id = NewUuid();
  edit.push_back(std::move(silence));
  return edit;
}

Result<SilenceBook::Edit> SilenceBook::PrepareExpire(std::string_view id, Timestamp now) const {
  const Silence* old = Find(id);
  if (!old) return Fail(ErrorCode::kUnavailable, "silence " + std::string(id) + " not found");
  Silence ended = *old;
  switch (old->StateAt(now)) {
    case SilenceState::kExpired:
      return Edit();
    case SilenceState::kPending:
      ended.starts_at = now;
      ended.ends_at = now;
      break;
    case SilenceState::kActive:
      ended.ends_at = now;
      break;
  }
  ended.updated_at = now;
  return Edit{std::move(ended)};
}

void SilenceBook::Apply(const Edit& edit) {
  for (const auto& silence : edit) silences_[silence.id] = silence;
}

const Silence* SilenceBook::Find(std::string_view id) const {
  const auto at = silences_.find(id);
  return at == silences_.end() ? nullptr : &at->second;
}

std::vector<Silence> SilenceBook::List(Timestamp now) const {
  std::vector<Silence> list;
  for (const auto& [id, silence] : silences_) list.push_back(silence);
  const auto rank = [&](const Silence& silence) {
    const auto state = silence.StateAt(now);
    return state == SilenceState::kActive ? 0 : state == SilenceState::kPending ? 1 : 2;
  };
  std::stable_sort(list.begin(), list.end(), [&](const Silence& a, const Silence& b) {
    const int rank_a = rank(a);
    const int rank_b = rank(b);
    if (rank_a != rank_b) return rank_a < rank_b;
    if (rank_a == 1) return a.starts_at < b.starts_at;
    return rank_a == 0 ? a.ends_at < b.ends_at : a.ends_at > b.ends_at;
  });
  return list;
}

std::vector<std::string> SilenceBook::Silencing(const Labels& labels, Timestamp now) const {
  std::vector<std::string> ids;
  for (const auto& [id, silence] : silences_) {
    if (silence.StateAt(now) == SilenceState::kActive && silence.Matches(labels)) ids.push_back(id);
  }
  return ids;
}

std::vector<std::string> SilenceBook::Forget(Timestamp before) {
  std::vector<std::string> ids;
  for (auto at = silences_.begin(); at != silences_.end();) {
    if (at->second.ends_at < before) {
      ids.push_back(at->first);
      at = silences_.erase(at);
    } else {
      ++at;
    }
  }
  return ids;
}

std::size_t SilenceBook::CountIn(SilenceState state, Timestamp now) const {
  return static_cast<std::size_t>(
      std::count_if(silences_.begin(), silences_.end(),
                    [&](const auto& item) { return item.second.StateAt(now) == state; }));
}

}  // namespace vigia::alerting::dispatch
