// The Outbox: notices on their way, each tried until it is delivered, rejected or too old.
//
// Every integration of every receiver has a lane of its own with workers of its own, so a slow
// receiver delays nobody else. Within a lane the notices of one group go out one after another, in
// the order in which they were decided; groups go side by side. A notice that waits is replaced by
// a later one of the same group that says the same and more.
//
// Between attempts: what the receiver asked for (Retry-After), else exponential backoff with full
// jitter. A lane keeps to its rate (token bucket). What cannot be delivered becomes a dead letter,
// which can be sent again; after `fallback_after` failures the fallback receiver gets a copy.
//
// Thread-safe. Reports and writes are made without a lock held.

#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "alerting/dispatch/store.h"
#include "alerting/outbox/channel.h"
#include "alerting/outbox/copies.h"
#include "core/clock.h"

namespace vigia::alerting::outbox {

// One integration of a receiver.
struct LaneId {
  std::string receiver;
  std::size_t integration = 0;

  friend auto operator<=>(const LaneId&, const LaneId&) = default;
};

struct LaneOptions {
  std::string kind;  // "webhook", for metrics
  std::shared_ptr<Channel> channel;
  double rate = 0;   // messages per second; 0: no limit
  double burst = 1;  // that may go out at once after a pause
};

struct LaneStats {
  LaneId id;
  std::string kind;
  std::size_t waiting = 0;  // in flight included
  std::size_t dead = 0;
  std::uint64_t attempts = 0;
  std::uint64_t delivered = 0;
  std::uint64_t failed = 0;    // attempts
  std::uint64_t died = 0;      // notices
  std::uint64_t replaced = 0;  // by a later one
  std::uint64_t limited = 0;   // times that the rate or the receiver held a notice back
  double seconds = 0;          // spent in attempts
  std::string last_error;      // empty: the last attempt succeeded
};

// A notice that waits or has died.
struct Letter {
  dispatch::Notice notice;
  int attempts = 0;
  std::string answer;  // to the last attempt
  bool dead = false;
  Milliseconds next{};  // until the next attempt
  std::string held_by;  // "rate limit", "retry-after", "backoff", "" (in flight or about to be)
};

class Outbox final : public dispatch::NoticeSink {
 public:
  struct Options {
    Milliseconds max_age{std::chrono::hours(4)};  // after which a notice dies
    Milliseconds attempt_timeout{10'000};
    Milliseconds backoff_min{1'000};
    Milliseconds backoff_max{300'000};
    int workers = 64;                  // per lane, at most; made as needed
    int fallback_after = 5;            // failures of one notice
    std::string fallback;              // a receiver; empty: none
    std::size_t max_waiting = 50'000;  // notices in all; beyond it the oldest of the lane dies
    std::size_t max_dead = 1'000;      // dead letters kept per lane
    std::uint64_t seed = 0;            // of the jitter; 0: random
  };
  using ReportFunction = std::function<void(dispatch::NoticeResult)>;

  Outbox(Clock& clock, dispatch::Store& store, Options options, ReportFunction report);
  ~Outbox() override;

  // The lanes from now on. Notices of lanes that are gone become dead letters.
  void SetLanes(std::map<LaneId, LaneOptions> lanes, Options options);

  // Those of a previous run, in their order; dead ones stay dead.
  void Restore(std::vector<dispatch::PendingNotice> pending);
  void Submit(std::vector<dispatch::Notice> notices) override;

  // Tries a dead letter again; all of them if `id` is empty. Returns how many.
  std::size_t Resend(const std::string& id);
  std::vector<Letter> Letters() const;
  std::vector<LaneStats> Stats() const;
  // True once nothing waits and nothing is in flight.
  bool idle() const;

  // No attempt begins from now on; those in flight end, soon where they have told nobody anything
  // yet. What waits stays written.
  void Stop();

 private:
  struct Item {
    dispatch::Notice notice;
    int attempts = 0;
    std::string answer;
    // Attempts in vain, those for the notices of the group that this one has replaced included.
    int failures = 0;
    Instant next_try{};
    bool asked = false;  // next_try is what the receiver asked for
    bool fell_back = false;
    // From when its age counts if it was resent: the notice's own time says which of its alerts
    // have ended, and stays.
    Timestamp resent = 0;

    Timestamp Since() const { return std::max(notice.time, resent); }
  };
  struct Queue {
    std::vector<Item> items;  // mostly one, never many
    bool busy = false;        // its first item is in flight
  };
  struct Lane {
    LaneId id;
    LaneOptions options;
    bool gone = false;
    std::map<std::string, Queue> queues;                        // by group
    std::set<std::pair<Instant, const std::string*>> ready;     // first items that wait, by time
    std::set<std::pair<Timestamp, const std::string*>> by_age;  // the same, by notice time
    std::map<std::string, Item> dead;                           // by notice id
    std::condition_variable_any wake;
    Instant paused_until{};
    double tokens = 0;
    Instant refilled{};
    int workers = 0;
    int idle_workers = 0;
    LaneStats stats;
  };
  struct Worker {
    std::jthread thread;
    std::shared_ptr<Channel> channel;  // of the attempt under way: a reload may have replaced it
    bool done = false;
  };

  void Work(Lane& lane, Worker& self, std::stop_token stop);
  // With mutex_ held.
  Lane& LaneFor(const LaneId& id);
  void Add(Lane& lane, Item item, std::vector<dispatch::NoticeResult>& results);
  // `item` is sent in place of `old`, when that would have been, with its failures.
  void TakePlace(Lane& lane, Item& item, Item& old, std::vector<dispatch::NoticeResult>& results);
  // After a failure: the first item makes way for the second if that says everything it says.
  void ReplaceFirst(Lane& lane, Queue& queue, std::vector<dispatch::NoticeResult>& results);
  bool TakeToken(Lane& lane, Instant now);
  Instant NextToken(const Lane& lane) const;
  Instant NextTurn(const Lane& lane) const;
  void Ready(Lane& lane, const std::string& group, Queue& queue);
  // The first item of the queue waits no more, or is about to change.
  void Unready(Lane& lane, const std::string& group, const Queue& queue);
  // Makes room: the oldest that waits dies, in this lane if it has any.
  void BuryOldest(Lane& lane, std::vector<dispatch::NoticeResult>& results);
  void StartWorkers(Lane& lane);
  void ReapWorkers();
  // Takes an answer; fills what has to be reported and sent to the fallback.
  struct Aftermath {
    std::vector<dispatch::NoticeResult> results;
    std::vector<dispatch::Notice> copies;
  };
  void Conclude(Lane& lane, const std::string& group, const Answer& answer, Aftermath& after);
  void Postpone(Lane& lane, Item& item, const Answer& answer, Aftermath& after);
  void Bury(Lane& lane, Item item, std::vector<dispatch::NoticeResult>& results);
  void FallBack(const Lane& lane, Item& item, Aftermath& after);
  dispatch::NoticeResult ResultOf(const Item& item, dispatch::NoticeResult::State state) const;
  Milliseconds Backoff(int failures);
  // Without it.
  void Finish(Aftermath after);

  Clock& clock_;
  Copies copies_;
  const ReportFunction report_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Options options_;
  std::map<LaneId, std::unique_ptr<Lane>> lanes_;
  std::size_t waiting_ = 0;
  bool stopping_ = false;
  std::mt19937_64 random_;
  std::list<Worker> workers_;
};

}  // namespace vigia::alerting::outbox
