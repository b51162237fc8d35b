#include "core/clock.h"

#include <algorithm>

namespace vigia {

Timestamp ManualClock::Wall() const {
  const std::lock_guard lock(mutex_);
  return wall_;
}

Instant ManualClock::Now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

bool ManualClock::WaitUntil(std::unique_lock<std::mutex>& lock,
                            std::condition_variable_any& condition, std::stop_token stop,
                            Instant until, const std::function<bool()>& ready) {
  Waiter waiter{lock.mutex(), &condition};
  {
    const std::lock_guard registry(mutex_);
    waiters_.push_back(&waiter);
  }
  waiters_changed_.notify_all();
  const auto done = [&] { return ready() || Now() >= until; };
  condition.wait(lock, std::move(stop), done);
  {
    const std::lock_guard registry(mutex_);
    std::erase(waiters_, &waiter);
  }
  return ready();
}

void ManualClock::Advance(Duration by) {
  std::vector<Waiter> wake;
  {
    const std::lock_guard lock(mutex_);
    now_ += by;
    wall_ += std::chrono::duration_cast<std::chrono::milliseconds>(by).count();
    for (const Waiter* waiter : waiters_) wake.push_back(*waiter);
  }
  for (const Waiter& waiter : wake) {
    // Taking the lock orders this after a waiter that has tested `done` but does not sleep yet.
    { const std::lock_guard lock(*waiter.mutex); }
    waiter.condition->notify_all();
  }
}

void ManualClock::JumpWall(std::chrono::milliseconds by) {
  const std::lock_guard lock(mutex_);
  wall_ += by.count();
}

void ManualClock::AwaitWaiters(std::size_t count) {
  std::unique_lock lock(mutex_);
  waiters_changed_.wait(lock, [&] { return waiters_.size() >= count; });
}

std::size_t ManualClock::waiters() const {
  const std::lock_guard lock(mutex_);
  return waiters_.size();
}

}  // namespace vigia
