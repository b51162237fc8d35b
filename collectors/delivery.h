// Hands the readings of one instance to the sinks, in the order in which they came about.
//
// Sinks do I/O and are called without the scheduler's mutex, by whatever thread is at hand: the
// worker that ended a run, or the watch that gave one up. Two of them could overtake each other;
// so events are queued under the mutex, and one thread at a time takes them from the queue.

#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "core/reading.h"

namespace vigia::collectors {

// Guarded by the mutex that every call is given locked.
class Delivery {
 public:
  void Publish(std::shared_ptr<const Reading> reading);
  // Series are unknown from `time` on, but those of `last_words`.
  void Withdraw(Timestamp time, std::shared_ptr<const Reading> last_words);

  // Calls the sinks for all events, with `lock` released meanwhile; if another thread is at it
  // already, returns at once: that one takes the new events, too.
  void Run(const InstanceId& instance, std::span<ReadingSink* const> sinks,
           std::unique_lock<std::mutex>& lock);

 private:
  struct Event {
    bool withdrawn = false;
    Timestamp time = 0;
    std::shared_ptr<const Reading> reading;
  };

  std::vector<Event> events_;
  bool running_ = false;
};

}  // namespace vigia::collectors
