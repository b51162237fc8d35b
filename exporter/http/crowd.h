// Keeps room for whoever has something to ask: an open connection holds a thread of civetweb's,
// whether it asks or not. When few are left, the connections that have been idle longest are hung
// up, also those that civetweb has not begun to serve. Thread-safe.

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

#include "exporter/http/sockets.h"

namespace vigia::http {

class Crowd {
 public:
  // More connections than `limit` are too many. One is idle that has sent nothing for `patience`:
  // a client sends its request right behind its handshake, that of TLS takes round trips.
  Crowd(std::size_t limit, std::chrono::milliseconds patience);

  // Where they come in. Until it is told, nobody is hung up.
  void Watch(std::vector<int> ports);

  // A thread has begun and ended to serve a connection.
  void Begin();
  void End();

  // Its connection is not idle while it lives.
  class Request {
   public:
    Request(Crowd& crowd, const SocketName& connection);
    ~Request();
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;

   private:
    Crowd& crowd_;
    std::list<SocketName>::iterator place_;
  };

 private:
  void Run(std::stop_token stop);
  // Returns whether anybody was hung up.
  bool MakeRoom() const;

  const std::size_t limit_;
  const std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  // Guarded by mutex_.
  std::vector<int> ports_;
  std::size_t served_ = 0;      // connections that have a thread
  std::list<SocketName> busy_;  // those with a request

  std::jthread thread_;  // last: it uses the rest
};

}  // namespace vigia::http
