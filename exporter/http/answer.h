// Puts an answer on the wire.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "exporter/http/message.h"
#include "exporter/http/transport.h"
#include "exporter/http/watchdog.h"

namespace vigia::http {

struct AnswerContext {
  Exchange& exchange;
  Watchdog& watchdog;
  Duration write_timeout;
  std::string_view header_lines;  // for every answer
  std::string_view request_id;
  Timestamp now = 0;
  bool http11 = true;
  bool head_only = false;
  bool large_stack = false;  // for streaming
  bool keep_alive = false;
};

struct Sent {
  std::size_t bytes = 0;  // of the body
  std::string error;      // empty if all of it was taken
};

// Sends `response`; the connection ends with it if it cannot be sent whole.
Sent SendAnswer(const AnswerContext& context, const Response& response);

}  // namespace vigia::http
