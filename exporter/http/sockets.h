// Connections of this process, found by their addresses: civetweb keeps its descriptors to itself.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace vigia::http {

// A TCP connection over IPv4 that somebody made to us, or, with remote_port 0, a listening
// socket.
struct SocketName {
  std::uint32_t remote_address = 0;
  int remote_port = 0;
  int local_port = 0;

  friend bool operator==(const SocketName&, const SocketName&) = default;
};

// Ends both directions of every socket of this process that `chosen` picks: whoever waits for it
// wakes up, what was written before is still delivered. The caller knows that the sockets
// chosen are not closed meanwhile.
void ShutDownSockets(const std::function<bool(const SocketName&)>& chosen);

// Those of `connections` that have ended, or whose client has closed its direction. The same
// condition.
std::vector<SocketName> HungUp(std::span<const SocketName> connections);

// A connection whose client has sent nothing for `since` and nothing that is still to be read.
struct IdleSocket {
  SocketName name;
  int descriptor = -1;
  std::chrono::milliseconds since{};
};

// The idle ones among those that `chosen` picks.
std::vector<IdleSocket> IdleSockets(const std::function<bool(const SocketName&)>& chosen);
// Ends one. Harmless if it has been closed meanwhile, whatever its descriptor is now.
void ShutDown(const IdleSocket& socket);

}  // namespace vigia::http
