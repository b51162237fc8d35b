// The HTTP server: civetweb behind a router, with the guards that civetweb lacks.
//
// A worker per open connection, many and cheap. Requests that are ambiguous (two lengths, two
// hosts) are refused; bodies are bounded while they are read; a handler that throws answers 500.
// Handlers run on many threads at once.

#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "exporter/http/message.h"
#include "exporter/http/router.h"

namespace vigia::http {

// PEM files of a TLS listener, and what it asks of clients.
struct TlsOptions {
  std::string certificate_file;  // certificate chain and key, in one file
  std::string client_ca_file;    // empty: the clients' certificates are not verified
  bool require_client_certificate = false;
  int min_version = 12;  // 12 or 13, for TLS 1.2 and 1.3
  std::string ciphers;   // OpenSSL's list; empty: its default
};

// Whether `text` is an address to listen on; the error says what is right instead.
Status CheckAddress(const std::string& text);

// What was asked and answered, for logs and metrics.
struct AccessRecord {
  const Request& request;
  std::string_view handler;  // the route's pattern; "" for none
  int status;
  std::size_t bytes;
  std::chrono::duration<double> took;
};

class Server {
 public:
  struct Options {
    std::vector<std::string> listen{"127.0.0.1:9845"};  // IPv4 address and port; port 0 picks one
    int workers = 512;
    std::chrono::milliseconds request_timeout{5000};  // for headers, and for each wait in a body
    std::chrono::milliseconds keep_alive_timeout{15000};  // idle between requests
    std::optional<TlsOptions> tls;
    // Asked before the handler: an answer turns the request away; it may set request.user.
    std::function<std::optional<Response>(Request&)> admit;
    // Added to every answer that does not have them.
    std::function<Headers()> headers;
    std::function<void(const AccessRecord&)> on_access;
  };

  // Starts to listen. The error of a port in use names it and the flag that changes it.
  static Result<std::unique_ptr<Server>> Start(Router router, Options options);
  ~Server();

  // The addresses with the ports that were bound.
  const std::vector<std::string>& addresses() const;

  // Turns new requests away, waits until all answers under way are sent, at most `grace`, and
  // closes. Safe to call twice.
  void Stop(std::chrono::milliseconds grace = std::chrono::seconds(5));

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace vigia::http
