// civetweb behind an interface: it listens, reads heads and hands each request over. Everything
// that HTTP means beyond that is the Server's (server.h).

#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "exporter/http/head.h"
#include "exporter/http/sockets.h"

namespace vigia::http {

class TlsServer;

// One request on a connection; valid during the call that hands it over, used by one thread.
class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual const Head& head() const = 0;
  SocketName connection() const;

  // Reads from the body, decoded. 0 at its end, or if the client stopped sending; negative if
  // it is malformed or the client is gone.
  virtual long Read(std::span<char> into) = 0;
  // False once the client is gone or does not take anything any more.
  virtual bool Write(std::string_view bytes) = 0;
  // Ends the connection after this exchange, without reading what is left of it.
  virtual void CloseAfter() = 0;
};

struct ListenAddress {
  std::string text;     // as configured
  std::string address;  // IPv4
  int port = 0;         // 0: any free one
};

// "127.0.0.1:9845", "localhost:9845", ":9845" (every interface). The error says what of IPv6,
// unix sockets and host names is not possible.
Result<ListenAddress> ParseListenAddress(std::string_view text);

struct TransportOptions {
  std::vector<ListenAddress> listen;
  int workers = 128;                // connections served at once: each holds a thread
  std::size_t max_head = 8 * 1024;  // bytes of request line and headers
  Duration head_timeout = 5s;       // for a head to arrive whole, and for progress in a body
  Duration idle_timeout = 20s;      // between two requests of a connection
  TlsServer* tls = nullptr;         // null: without encryption
};

class Transport {
 public:
  virtual ~Transport() = default;

  // Calls `handle` from many threads; a connection on which it throws is closed.
  using Handle = std::function<void(Exchange&)>;
  static Result<std::unique_ptr<Transport>> Start(const TransportOptions& options, Handle handle);

  // Where it listens, in the order of options.listen.
  virtual const std::vector<int>& ports() const = 0;

  // Cuts what is still connected and returns when the last thread has ended. Idempotent.
  virtual void Stop() = 0;
};

}  // namespace vigia::http
