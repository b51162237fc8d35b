// What becomes of notices: joining the queue, answers, dead letters.

#include <algorithm>
#include <cmath>

#include "alerting/outbox/outbox.h"

namespace vigia::alerting::outbox {
namespace {

using dispatch::Notice;
using dispatch::NoticeResult;

// At most so many notices of one group wait behind each other.
constexpr std::size_t kMaxPerGroup = 16;

// Whether `later` says everything that `earlier` says: nothing is lost if only it is sent.
bool Covers(const Notice& later, const Notice& earlier) {
  return std::all_of(earlier.alerts.begin(), earlier.alerts.end(), [&](const auto& alert) {
    return std::any_of(later.alerts.begin(), later.alerts.end(), [&](const auto& other) {
      return other->fingerprint == alert->fingerprint &&
             other->ResolvedAt(later.time) == alert->ResolvedAt(earlier.time);
    });
  });
}

}  // namespace

NoticeResult Outbox::ResultOf(const Item& item, NoticeResult::State state) const {
  return {.id = item.notice.id,
          .key = item.notice.key,
          .state = state,
          .attempts = item.attempts,
          .time = clock_.Wall(),
          .decided = item.notice.time,
          .answer = item.answer};
}

void Outbox::TakePlace(Lane& lane, Item& item, Item& old, std::vector<NoticeResult>& results) {
  old.answer = "replaced by " + item.notice.id;
  ++lane.stats.replaced;
  results.push_back(ResultOf(old, NoticeResult::State::kReplaced));
  item.failures = std::max(item.failures, old.failures);
  item.next_try = old.next_try;
  item.asked = old.asked;
}

void Outbox::Add(Lane& lane, Item item, std::vector<NoticeResult>& results) {
  if (lane.gone) {
    item.answer = "the receiver is not configured";
    return Bury(lane, std::move(item), results);
  }
  const auto group = item.notice.key.group_key;
  auto& queue = lane.queues[group];
  const bool last_waits = queue.items.size() > (queue.busy ? 1U : 0U);
  if (last_waits && Covers(item.notice, queue.items.back().notice)) {
    auto& old = queue.items.back();
    TakePlace(lane, item, old, results);
    Unready(lane, group, queue);
    old = std::move(item);
    Ready(lane, group, queue);
    return;
  }
  if (queue.items.size() >= kMaxPerGroup) {
    const std::size_t oldest = queue.busy ? 1 : 0;
    if (queue.items.size() > oldest) {
      auto& old = queue.items[oldest];
      old.answer = "too many notices wait";
      Unready(lane, group, queue);
      Bury(lane, std::move(old), results);
      queue.items.erase(queue.items.begin() + static_cast<std::ptrdiff_t>(oldest));
      --waiting_;
      Ready(lane, group, queue);
    }
  }
  if (waiting_ >= options_.max_waiting) BuryOldest(lane, results);
  auto& home = lane.queues[group];  // its last item may have been the oldest
  ++waiting_;
  home.items.push_back(std::move(item));
  if (home.items.size() == 1) Ready(lane, group, home);
}

void Outbox::BuryOldest(Lane& lane, std::vector<NoticeResult>& results) {
  Lane* from = lane.by_age.empty() ? nullptr : &lane;
  for (const auto& [id, other] : lanes_) {
    if (lane.by_age.empty() && !other->by_age.empty() &&
        (!from || other->by_age.begin()->first < from->by_age.begin()->first)) {
      from = other.get();
    }
  }
  if (!from) return;  // everything is in flight
  const std::string group = *from->by_age.begin()->second;
  auto& queue = from->queues.at(group);
  Unready(*from, group, queue);
  Item old = std::move(queue.items.front());
  queue.items.erase(queue.items.begin());
  --waiting_;
  old.answer = "too many notices wait";
  Bury(*from, std::move(old), results);
  if (queue.items.empty()) {
    from->queues.erase(group);
  } else {
    Ready(*from, group, queue);
  }
}

void Outbox::Conclude(Lane& lane, const std::string& group, const Answer& answer,
                      Aftermath& after) {
  auto& queue = lane.queues.at(group);
  queue.busy = false;
  Item item = std::move(queue.items.front());
  queue.items.erase(queue.items.begin());
  --waiting_;
  item.answer = answer.text;
  ++lane.stats.attempts;
  if (answer.kind == Answer::Kind::kDelivered) {
    ++lane.stats.delivered;
    lane.stats.last_error.clear();
    after.results.push_back(ResultOf(item, NoticeResult::State::kDelivered));
    after.results.back().handle = answer.handle;
  } else {
    ++lane.stats.failed;
    lane.stats.last_error = answer.text;
    const bool old = clock_.Wall() - item.Since() >= options_.max_age.count();
    // Our own stop ended it: that says nothing of the receiver.
    const bool interrupted = stopping_ && answer.kind == Answer::Kind::kRetry;
    const bool lost = answer.kind == Answer::Kind::kRejected || (old && !interrupted) || lane.gone;
    if (interrupted && !lost) {
      --item.attempts;
    } else if (++item.failures >= options_.fallback_after || lost) {
      FallBack(lane, item, after);
    }
    if (lost) {
      Bury(lane, std::move(item), after.results);
    } else {
      Postpone(lane, item, answer, after);
      queue.items.insert(queue.items.begin(), std::move(item));
      ++waiting_;
      ReplaceFirst(lane, queue, after.results);
    }
  }
  if (queue.items.empty()) {
    lane.queues.erase(group);
  } else {
    Ready(lane, group, queue);
  }
}

// The one behind it may have come while it was in flight.
void Outbox::ReplaceFirst(Lane& lane, Queue& queue, std::vector<NoticeResult>& results) {
  if (queue.items.size() < 2 || !Covers(queue.items[1].notice, queue.items[0].notice)) return;
  TakePlace(lane, queue.items[1], queue.items[0], results);
  queue.items.erase(queue.items.begin());
  --waiting_;
}

void Outbox::Postpone(Lane& lane, Item& item, const Answer& answer, Aftermath& after) {
  const Instant now = clock_.Now();
  item.asked = answer.retry_after.count() > 0;
  auto wait = item.asked ? answer.retry_after : Backoff(std::max(item.failures, 1));
  // Its last chance comes at the end of its age.
  const Milliseconds left(item.Since() + options_.max_age.count() - clock_.Wall());
  wait = std::min(wait, std::max(left, Milliseconds(0)));
  item.next_try = now + wait;
  if (item.asked) {
    ++lane.stats.limited;
    lane.paused_until = std::max(lane.paused_until, item.next_try);
  }
  auto result = ResultOf(item, NoticeResult::State::kRetrying);
  result.next_try = clock_.Wall() + wait.count();
  after.results.push_back(std::move(result));
}

Milliseconds Outbox::Backoff(int failures) {
  const double most = std::min(static_cast<double>(options_.backoff_max.count()),
                               static_cast<double>(options_.backoff_min.count()) *
                                   std::pow(2.0, std::min(failures - 1, 30)));
  std::uniform_int_distribution<std::int64_t> jitter(0, static_cast<std::int64_t>(most));
  return Milliseconds(jitter(random_));
}

void Outbox::Bury(Lane& lane, Item item, std::vector<NoticeResult>& results) {
  ++lane.stats.died;
  results.push_back(ResultOf(item, NoticeResult::State::kDead));
  // Of a group that fails again and again the last letter is enough if it says the same.
  std::erase_if(lane.dead, [&](const auto& other) {
    const auto& old = other.second.notice;
    if (old.key != item.notice.key || !Covers(item.notice, old)) return false;
    auto gone = ResultOf(other.second, NoticeResult::State::kReplaced);
    gone.answer = "replaced by " + item.notice.id;
    results.push_back(std::move(gone));
    return true;
  });
  while (lane.dead.size() >= std::max<std::size_t>(options_.max_dead, 1)) {
    const auto oldest = std::min_element(
        lane.dead.begin(), lane.dead.end(),
        [](const auto& a, const auto& b) { return a.second.notice.time < b.second.notice.time; });
    auto gone = ResultOf(oldest->second, NoticeResult::State::kReplaced);
    gone.answer = "too many dead letters";
    results.push_back(std::move(gone));
    lane.dead.erase(oldest);
  }
  const auto id = item.notice.id;
  lane.dead.insert_or_assign(id, std::move(item));
}

// One copy for each way of the fallback receiver, once per notice.
void Outbox::FallBack(const Lane& lane, Item& item, Aftermath& after) {
  if (item.fell_back || options_.fallback.empty() || lane.id.receiver == options_.fallback) return;
  item.fell_back = true;
  for (const auto& [id, other] : lanes_) {
    if (id.receiver != options_.fallback || other->gone) continue;
    Notice copy = item.notice;
    copy.id = dispatch::NewUuid();
    copy.key.receiver = id.receiver;
    copy.key.integration = id.integration;
    copy.reason += " (receiver " + lane.id.receiver + " fails: " + item.answer + ")";
    after.copies.push_back(std::move(copy));
  }
}

std::size_t Outbox::Resend(const std::string& id) {
  Aftermath after;
  std::size_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [lane_id, lane] : lanes_) {
      if (lane->gone) continue;
      auto letters = std::exchange(lane->dead, {});
      for (auto& [letter_id, item] : letters) {
        if (!id.empty() && letter_id != id) {
          lane->dead.emplace(letter_id, std::move(item));
          continue;
        }
        ++count;
        item.next_try = clock_.Now();
        item.resent = clock_.Wall() - options_.max_age.count() / 2;
        after.results.push_back(ResultOf(item, NoticeResult::State::kRetrying));
        Add(*lane, std::move(item), after.results);
      }
    }
  }
  Finish(std::move(after));
  return count;
}

std::vector<Letter> Outbox::Letters() const {
  std::vector<Letter> letters;
  const std::lock_guard lock(mutex_);
  const Instant now = clock_.Now();
  const auto letter_of = [](const Item& item) {
    return Letter{.notice = item.notice, .attempts = item.attempts, .answer = item.answer};
  };
  for (const auto& [id, lane] : lanes_) {
    for (const auto& [group, queue] : lane->queues) {
      for (const auto& item : queue.items) {
        auto letter = letter_of(item);
        const bool in_flight = queue.busy && &item == &queue.items.front();
        const auto turn = std::max({item.next_try, lane->paused_until, NextToken(*lane)});
        if (!in_flight && turn > now) {
          letter.next = std::chrono::ceil<Milliseconds>(turn - now);
          letter.held_by = turn == item.next_try        ? (item.asked ? "retry-after" : "backoff")
                           : turn == lane->paused_until ? "retry-after"
                                                        : "rate limit";
        }
        letters.push_back(std::move(letter));
      }
    }
    for (const auto& [dead_id, item] : lane->dead) {
      letters.push_back(letter_of(item));
      letters.back().dead = true;
    }
  }
  std::stable_sort(letters.begin(), letters.end(),
                   [](const Letter& a, const Letter& b) { return a.notice.time < b.notice.time; });
  return letters;
}

std::vector<LaneStats> Outbox::Stats() const {
  std::vector<LaneStats> all;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, lane] : lanes_) {
    auto stats = lane->stats;
    for (const auto& [group, queue] : lane->queues) stats.waiting += queue.items.size();
    stats.dead = lane->dead.size();
    all.push_back(std::move(stats));
  }
  return all;
}

bool Outbox::idle() const {
  const std::lock_guard lock(mutex_);
  return waiting_ == 0;
}

}  // namespace vigia::alerting::outbox
