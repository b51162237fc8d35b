// Cuts connections that take too long: civetweb waits for ever as long as a byte trickles in now
// and then. Thread-safe.

#pragma once

#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

#include "core/clock.h"
#include "exporter/http/sockets.h"

namespace vigia::http {

class Watchdog {
 public:
  explicit Watchdog(Clock& clock);

  // Shuts the connection down at its deadline, unless destroyed before. The connection stays open
  // for as long as its Watch lives.
  class Watch {
   public:
    Watch(Watchdog& watchdog, const SocketName& connection, Duration limit);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    friend class Watchdog;
    Watchdog& watchdog_;
    const SocketName connection_;
    const Instant until_;
    std::list<Watch*>::iterator place_;
  };

 private:
  void Run(std::stop_token stop);
  // Cuts what is late; returns when to look again.
  Instant CutLate(Instant now);

  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  // Guarded by mutex_.
  std::list<Watch*> watches_;
  Instant next_look_{};  // of the thread; an earlier deadline wakes it

  std::jthread thread_;
};

}  // namespace vigia::http
