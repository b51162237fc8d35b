// A Watchdog ends a blocking read of a socket: libpq has no client-side timeout, so once the
// deadline passes the socket is shut down under it, which makes the read return at once.
//
// Arm() and Disarm() are called by one thread; the watchdog's own thread is started by the first
// Arm(). It sleeps through the many short statements of a run: arming costs a mutex, and wakes
// it only if the new deadline is earlier than what it already waits for. A server answers in real
// time, so the system's clock counts, whichever clock the deadline is from.

#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "core/clock.h"

namespace vigia::collectors::postgres {

class Watchdog {
 public:
  Watchdog() = default;
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // Shuts `socket` down at `deadline` unless disarmed before. Disarm before closing it.
  void Arm(int socket, Deadline deadline);
  // Whether the socket was shut down.
  bool Disarm();

 private:
  void Run(std::stop_token stop);

  std::mutex mutex_;
  std::condition_variable_any changed_;
  // Guarded by mutex_.
  int socket_ = -1;  // none while disarmed
  Instant at_{};
  Instant wakes_at_ = Instant::max();  // when the thread looks again by itself
  bool fired_ = false;

  std::jthread thread_;  // last: stops before what it uses is gone
};

}  // namespace vigia::collectors::postgres
