// Decoding of what clients write into paths and Authorization headers.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vigia::http {

// Replaces %XX. Nothing for a '%' without two hexadecimal digits.
std::optional<std::string> PercentDecode(std::string_view text);

struct Credentials {
  std::string user;
  std::string password;
};

// "Basic dXNlcjpwYXNz". Nothing for other schemes and malformed values.
std::optional<Credentials> DecodeBasicAuth(std::string_view authorization);

}  // namespace vigia::http
