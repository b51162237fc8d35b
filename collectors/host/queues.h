// The fifth column of /proc/net/tcp and udp: bytes that wait to be sent and to be read.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "collectors/host/text.h"

namespace vigia::collectors::host {

struct QueueLengths {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
};

// "00000015:0000000A", in hexadecimal; nothing if it is not that.
inline std::optional<QueueLengths> ParseQueues(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == text.npos) return std::nullopt;
  const auto sent = ParseNumber(text.substr(0, colon), 16);
  const auto received = ParseNumber(text.substr(colon + 1), 16);
  if (!sent || !received) return std::nullopt;
  return QueueLengths{*sent, *received};
}

}  // namespace vigia::collectors::host
