// Waiting for nothing but the time, or the end.

#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "core/clock.h"

namespace vigia::remote_write {

// Of one thread; lives as long as the clock may wake it.
class Pause {
 public:
  // False if it was stopped.
  bool Until(Clock& clock, Instant instant, std::stop_token stop) {
    std::unique_lock lock(mutex_);
    clock.WaitUntil(lock, never_, stop, instant, [] { return false; });
    return !stop.stop_requested();
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any never_;
};

}  // namespace vigia::remote_write
