#include "collectors/postgres/sqlstate.h"

#include <algorithm>

namespace vigia::collectors::postgres {

ErrorCode CodeOfSqlState(std::string_view sqlstate) {
  const auto in_class = [&](std::string_view prefix) { return sqlstate.starts_with(prefix); };
  if (sqlstate == "57014" || sqlstate == "55P03") return ErrorCode::kTimeout;
  // A password may be about to be rotated, so 28P01 is not for ever.
  if (sqlstate.empty() || sqlstate == "28P01" || in_class("08") || in_class("53") ||
      in_class("57") || in_class("58") || in_class("40") || in_class("XX")) {
    return ErrorCode::kUnavailable;
  }
  return ErrorCode::kInvalid;
}

std::string OneLine(std::string_view message) {
  const auto line_end = message.find('\n');
  std::string_view line = message.substr(0, line_end);
  // libpq continues "connection to server on socket ... failed: FATAL: ..." on the same line.
  for (const std::string_view severity : {"FATAL:", "ERROR:", "PANIC:"}) {
    const auto at = line.find(severity);
    if (at == line.npos) continue;
    line.remove_prefix(at + severity.size());
    break;
  }
  while (line.starts_with(' ')) line.remove_prefix(1);
  return std::string(line);
}

std::string TakeSqlState(std::string& message) {
  static constexpr std::size_t kLength = 5;
  if (message.size() <= kLength || message[kLength] != ':') return {};
  for (std::size_t i = 0; i < kLength; ++i) {
    const char c = message[i];
    if ((c < '0' || c > '9') && (c < 'A' || c > 'Z')) return {};
  }
  std::string state = message.substr(0, kLength);
  message.erase(0, std::min(message.size(), kLength + 2));
  return state;
}

}  // namespace vigia::collectors::postgres
