// Time is injected: whoever needs it takes a Clock&, so tests decide what time it is.
//
// Two times, never mixed: wall time (Timestamp, Unix milliseconds, may jump) labels samples;
// monotonic time (Instant) measures intervals and deadlines. Clocks are thread-safe.

#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <vector>

#include "core/sample.h"

namespace vigia {

using namespace std::chrono_literals;

using Instant = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

class Clock {
 public:
  virtual ~Clock() = default;

  virtual Timestamp Wall() const = 0;
  virtual Instant Now() const = 0;

  // Waits until `ready()` is true, `stop` is requested, or the clock reaches `until`;
  // returns ready(). `lock` is held on entry and exit and guards what `ready` reads;
  // whoever changes that notifies `condition`.
  virtual bool WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable_any& condition,
                         std::stop_token stop, Instant until,
                         const std::function<bool()>& ready) = 0;
};

// The clock of the operating system; the one place that asks it.
Clock& SystemClock();

// A clock that moves only when told. WaitUntil blocks until Advance() passes its instant.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp wall = 1'700'000'000'000) : wall_(wall) {}

  Timestamp Wall() const override;
  Instant Now() const override;
  bool WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable_any& condition,
                 std::stop_token stop, Instant until, const std::function<bool()>& ready) override;

  // Moves both times and wakes whoever waited for an instant now reached.
  void Advance(Duration by);
  // Moves the wall time alone, as an administrator or NTP does.
  void JumpWall(std::chrono::milliseconds by);
  // Blocks until `count` threads are waiting in WaitUntil: "everybody is idle" for tests.
  void AwaitWaiters(std::size_t count);
  std::size_t waiters() const;

 private:
  struct Waiter {
    std::mutex* mutex;
    std::condition_variable_any* condition;
  };

  mutable std::mutex mutex_;
  std::condition_variable waiters_changed_;
  // Guarded by mutex_.
  Timestamp wall_;
  Instant now_{};
  std::vector<Waiter*> waiters_;
};

// The instant by which a piece of work has to be done.
class Deadline {
 public:
  static Deadline After(const Clock& clock, Duration duration) {
    return Deadline(clock, clock.Now() + duration);
  }
  Deadline(const Clock& clock, Instant at) : clock_(&clock), at_(at) {}

  Instant at() const { return at_; }
  bool Passed() const { return clock_->Now() >= at_; }
  // Zero once passed.
  std::chrono::milliseconds Left() const {
    const auto left = at_ - clock_->Now();
    return left > Duration::zero() ? std::chrono::ceil<std::chrono::milliseconds>(left)
                                   : std::chrono::milliseconds(0);
  }
  const Clock& clock() const { return *clock_; }

 private:
  const Clock* clock_;
  Instant at_;
};

}  // namespace vigia
