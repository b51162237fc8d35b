// The head of a request and the rules it has to keep before anybody acts on it: whatever a proxy
// in front might read differently is refused (RFC 9112, sections 3.2, 5 and 6).

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "exporter/http/message.h"

namespace vigia::http {

// An answer other than the handler's.
struct Refusal {
  int status = 0;
  std::string why;
};

struct Head {
  // Set if the transport could not make sense of the head; all but the addresses is then empty.
  std::optional<Refusal> fault;

  std::string method;
  std::string path;   // undecoded
  std::string query;  // undecoded, without '?'
  bool http11 = true;
  Headers headers;  // names in lower case

  std::string remote;  // IPv4 address of the client
  int remote_port = 0;
  int local_port = 0;
  bool tls = false;
  std::string client_subject;  // of a verified client certificate
};

// How the body is sent and what happens afterwards.
struct Framing {
  bool chunked = false;
  std::uint64_t length = 0;  // unless chunked
  bool expects_continue = false;
  bool keep_alive = false;

  bool has_body() const { return chunked || length > 0; }
};

// Works out the framing; a refusal if the head breaks a rule.
std::optional<Refusal> CheckHead(const Head& head, Framing& framing);

}  // namespace vigia::http
