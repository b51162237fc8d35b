// Tells handlers that take long whose client has hung up. Thread-safe.

#pragma once

#include <condition_variable>
#include <list>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "exporter/http/sockets.h"

namespace vigia::http {

class HangUpWatch {
 public:
  explicit HangUpWatch(Clock& clock);

  // One request that is being answered. A stop is requested within a second of its client closing
  // the connection, or its own direction of it. The connection stays open for as long as this
  // lives.
  class Entry {
   public:
    Entry(HangUpWatch& watch, const SocketName& connection);
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    std::stop_token token() const { return stop_.get_token(); }

   private:
    friend class HangUpWatch;
    HangUpWatch& watch_;
    const SocketName connection_;
    std::stop_source stop_;
    std::list<Entry*>::iterator place_;
  };

 private:
  void Run(std::stop_token stop);
  std::vector<std::stop_source> FindHungUp() const;

  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  // Guarded by mutex_.
  std::list<Entry*> entries_;
  bool idle_ = false;  // the thread waits for a first entry

  std::jthread thread_;
};

}  // namespace vigia::http
