// One request from its head to the end of its answer: the steps that every request goes through.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "exporter/http/hang_up.h"
#include "exporter/http/head.h"
#include "exporter/http/server.h"
#include "exporter/http/transport.h"
#include "exporter/http/watchdog.h"

namespace vigia::http {

class Call {
 public:
  Call(const Router& router, const Server::Options& options, Watchdog& watchdog,
       HangUpWatch& hang_ups, Exchange& exchange);

  // Answers the request and reports it; with `stopping` set it is told to come back later.
  void Run(bool stopping);

 private:
  // Each step either lets the request pass or gives the answer it gets instead.
  using Instead = std::optional<Response>;
  Response Answer(bool stopping);
  Instead ReadHead();
  Instead FindRoute();
  Instead CheckChange() const;
  Instead ReadBody();

  bool ReadSized(std::string& body);
  Instead ReadChunked(std::string& body);
  Response TooLarge() const;
  // Reads a small body that nobody wanted, so that the connection can go on.
  void SkipSmallBody();
  // Lets a client that is to be cut off send a while longer: data that arrives at a closed
  // socket would take the answer away from it.
  void Linger();

  enum class Body { kNone, kUnread, kRead, kBroken };

  const Router& router_;
  const Server::Options& options_;
  Watchdog& watchdog_;
  HangUpWatch& hang_ups_;
  Exchange& exchange_;
  const Head& head_;
  Framing framing_;
  Body body_ = Body::kNone;
  Request request_;
  const Route* route_ = nullptr;
  // Until the answer is sent: a stream may evaluate queries.
  std::optional<HangUpWatch::Entry> hang_up_;
  std::string error_;
};

}  // namespace vigia::http
