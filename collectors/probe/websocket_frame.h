// Frames of the WebSocket protocol (RFC 6455, section 5), and the proof of its handshake.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "collectors/probe/stream.h"

namespace vigia::collectors::probe {

enum class Opcode : std::uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

struct Frame {
  bool last = true;  // of its message
  Opcode opcode = Opcode::kText;
  std::string payload;
};

// As a client sends it: whole, and masked by random bytes.
std::string WriteFrame(Opcode opcode, std::string_view payload);

// As a server sends it. kCorrupt for a frame that is masked, uses extensions, or is larger than
// `max_payload`; else the errors of the stream.
Result<Frame> ReadFrame(Stream& stream, std::size_t max_payload, Deadline deadline);

// A new Sec-WebSocket-Key, and the Sec-WebSocket-Accept that answers it.
std::string NewWebsocketKey();
std::string WebsocketAccept(std::string_view key);

}  // namespace vigia::collectors::probe
