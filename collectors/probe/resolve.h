// Looks names up within a deadline, which getaddrinfo() alone does not keep.

#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>
#include <vector>

#include "collectors/probe/module.h"
#include "core/clock.h"
#include "core/result.h"

namespace vigia::collectors::probe {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  // Without the port: "127.0.0.1".
  std::string Text() const;
  // Of an address in text; kInvalid for anything else.
  static Result<SocketAddress> Parse(const std::string& address, int port);
};

struct HostPort {
  std::string host;  // IPv6 without brackets
  int port = 0;
};

// "host:port", "[::1]:53"; the port may be missing if there is a default. kInvalid otherwise.
Result<HostPort> ParseHostPort(std::string_view text, int default_port = 0);

// All addresses that `ip` lets through, best first, at least one. kTimeout, or kUnavailable if
// there is no such name or no such address of it.
Result<std::vector<SocketAddress>> Resolve(const HostPort& target, IpChoice ip, Deadline deadline);

// Whether `host` is "localhost", which curl takes for 127.0.0.1 and ::1 whatever the system says.
bool IsLocalhost(std::string_view host);
// What the system says of it: read from /etc/hosts, so without waiting.
std::vector<SocketAddress> LocalhostAddresses(int port);

// Binds `socket`, of `family`, to the address `source` if that is not empty. kInvalid if it is of
// another family, kUnavailable if it is none of this machine's.
Status BindSource(int socket, int family, const std::string& source);

}  // namespace vigia::collectors::probe
