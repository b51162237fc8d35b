// The HTTP server: civetweb behind a router, with the guards that civetweb lacks.
//
// A worker per open connection, many and cheap. Requests that a proxy might read differently are
// refused (head.h); bodies are bounded while they are read; a connection that takes too long is
// cut; a handler that throws answers 500. Handlers run on many threads at once.

#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "exporter/http/message.h"
#include "exporter/http/router.h"

namespace vigia::http {

class TlsServer;

// Whether `text` is an address to listen on; the error says what is right instead.
Status CheckAddress(std::string_view text);

// What was asked and answered, for logs and metrics.
struct AccessRecord {
  const Request& request;
  std::string_view handler;  // the route's pattern; "" for none
  int status;
  std::size_t bytes;  // of the body that was sent
  std::chrono::duration<double> took;
  std::string error;  // why a handler failed, or an answer did not arrive whole; else empty
};

class Server {
 public:
  struct Options {
    std::vector<std::string> listen{"127.0.0.1:9845"};  // IPv4 address and port; port 0 picks one
    int workers = 128;                                  // connections that are served at once
    std::size_t max_head = 8192;                        // bytes of request line and headers
    std::chrono::milliseconds request_timeout{5000};    // for the head, and for each wait in a body
    std::chrono::milliseconds keep_alive_timeout{15000};  // idle between requests
    std::chrono::milliseconds body_timeout{30000};        // for a whole body to arrive
    // For a whole answer to be taken; of a streamed one, for each piece.
    std::chrono::milliseconds write_timeout{60000};
    TlsServer* tls = nullptr;  // null: plain HTTP. Lives longer than the server.
    Clock* clock = &SystemClock();
    // Asked before the handler: an answer turns the request away; it may set request.user.
    std::function<std::optional<Response>(Request&)> admit;
    // Header lines for every answer, "Name: value\r\n" each.
    std::function<std::string()> header_lines;
    std::function<void(const AccessRecord&)> on_access;
  };

  // Starts to listen. The error of a port in use names it and the flag that changes it.
  static Result<std::unique_ptr<Server>> Start(Router router, Options options);
  ~Server();

  // The addresses with the ports that were bound, in the order of Options::listen.
  const std::vector<std::string>& addresses() const;

  // Turns new requests away, waits until all answers under way are sent, at most `grace`, and
  // closes. A handler that does not return holds it up. Safe to call twice.
  void Stop(std::chrono::milliseconds grace = std::chrono::seconds(5));

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace vigia::http
