#include "alerting/rules/phase.h"

#include <algorithm>

namespace vigia::alerting::rules {
namespace {

// How far behind its readings a tick is: more than they jitter, less than anybody notices.
constexpr std::int64_t kGuard = 25;
// How long a tick waits for readings that do not come.
constexpr std::int64_t kMaxGrace = 1000;

// FNV-1a, so that ticks stay where they are over restarts.
std::uint64_t StableHash(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211U;
  }
  return hash;
}

}  // namespace

Phase::Phase(std::string_view key, Milliseconds interval, Timestamp now)
    : hash_(StableHash(key)), interval_(std::max<std::int64_t>(1, interval.count())) {
  Align(now);
}

void Phase::Align(Timestamp now) {
  const auto offset = static_cast<std::int64_t>(hash_ % static_cast<std::uint64_t>(interval_));
  tick_ = (now - offset) / interval_ * interval_ + offset;
  if (tick_ <= now) tick_ += interval_;
  locked_ = false;
  ready_ = false;
}

Timestamp Phase::Grace() const { return std::min(interval_ / 2, kMaxGrace); }

void Phase::SetFeeds(std::vector<std::pair<InstanceId, Milliseconds>> feeds) {
  // Only the slowest count: the others have reported more than once meanwhile.
  Milliseconds slowest{0};
  for (const auto& [id, interval] : feeds) slowest = std::max(slowest, interval);
  std::map<InstanceId, Feed> next;
  for (const auto& [id, interval] : feeds) {
    if (interval != slowest) continue;
    const auto known = feeds_.find(id);
    next.emplace(id, Feed{interval, known != feeds_.end() && known->second.reported});
  }
  feeds_ = std::move(next);
  if (feeds_.empty()) locked_ = ready_ = false;
}

void Phase::OnReading(const InstanceId& id, Timestamp read) {
  const auto feed = feeds_.find(id);
  if (feed == feeds_.end() || ready_) return;
  // One for another tick, where the collectors run more often than the group.
  const std::int64_t half = feed->second.interval.count() / 2;
  if (locked_ && interval_ > feed->second.interval.count() && read + kGuard < tick_ - half) return;
  if (last_ != 0 && read <= last_) return;
  feed->second.reported = true;
  const bool all = std::all_of(feeds_.begin(), feeds_.end(),
                               [](const auto& one) { return one.second.reported; });
  if (!all) return;
  const Timestamp wanted = read + kGuard;
  if (!locked_) {
    tick_ = wanted;
    locked_ = true;
    early_ = 0;
  } else if (wanted > tick_ + kGuard) {
    tick_ = wanted;  // readings come later than they used to
    early_ = 0;
  } else if (wanted < tick_ - 2 * kGuard) {
    // Late for the tick before, or earlier than they used to be: that is believed once they do it
    // again, for a shorter distance between two ticks may make `for` take one more.
    const bool late = last_ != 0 && read - last_ < interval_ / 2;
    if (late || ++early_ >= 3) {
      tick_ = wanted;
      early_ = 0;
    }
  } else {
    early_ = 0;
  }
  ready_ = true;
}

Timestamp Phase::Take(Timestamp now, std::uint64_t& missed) {
  missed = 0;
  if (!locked_ && last_ != 0 && now - last_ >= 2 * interval_) {
    const std::int64_t late = (now - last_) / interval_ - 1;
    missed = static_cast<std::uint64_t>(late);
    tick_ = last_ + (late + 1) * interval_;
  } else if (locked_ && now - tick_ >= interval_) {
    const std::int64_t late = (now - tick_) / interval_;
    missed = static_cast<std::uint64_t>(late);
    tick_ += late * interval_;
  }
  blind_ = ready_ || !locked_ ? 0 : blind_ + 1;
  if (blind_ >= 2) locked_ = false;
  last_ = tick_;
  tick_ += interval_;
  ready_ = false;
  for (auto& [id, feed] : feeds_) feed.reported = false;
  return last_;
}

void Phase::Check(Timestamp now) {
  const bool ahead = tick_ > now + 2 * interval_;
  const bool behind = now - tick_ > 100 * interval_;
  if (!ahead && !behind) return;
  last_ = 0;
  Align(now);
}

}  // namespace vigia::alerting::rules
