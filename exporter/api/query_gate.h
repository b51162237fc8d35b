// Lets so many queries be evaluated at once; the rest waits its turn, for a bounded time.

#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "core/clock.h"
#include "core/duration.h"

namespace vigia::api {

// Thread-safe; outlives its passes.
class QueryGate {
 public:
  explicit QueryGate(std::size_t places) : free_(places) {}

  class Pass {
   public:
    explicit Pass(QueryGate& gate) : gate_(&gate) {}
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (gate_) gate_->Leave();
    }

   private:
    QueryGate* gate_;
  };

  // Nothing if no place came free in time.
  std::optional<Pass> Enter(Milliseconds wait) {
    std::unique_lock lock(mutex_);
    if (!left_.wait_for(lock, wait, [this] { return free_ > 0; })) return std::nullopt;
    --free_;
    return Pass(*this);
  }

 private:
  void Leave() {
    {
      const std::lock_guard lock(mutex_);
      ++free_;
    }
    left_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable left_;
  std::size_t free_;  // guarded by mutex_
};

}  // namespace vigia::api
