#include "core/base64.h"

#include <cstdint>

namespace vigia {
namespace {

constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

int DigitOf(char c) {
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  const auto at = kLetters.find(c);
  return at == kLetters.npos ? -1 : static_cast<int>(at);
}

}  // namespace

std::string EncodeBase64(std::string_view bytes, bool url_safe) {
  const auto letter = [&](std::uint32_t digit) {
    if (digit < 62) return kLetters[digit];
    if (url_safe) return digit == 62 ? '-' : '_';
    return digit == 62 ? '+' : '/';
  };
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      const auto byte = i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U;
      group = group << 8 | byte;
    }
    out += letter(group >> 18);
    out += letter(group >> 12 & 63);
    out += i + 1 < bytes.size() ? letter(group >> 6 & 63) : '=';
    out += i + 2 < bytes.size() ? letter(group & 63) : '=';
  }
  return out;
}

Result<std::string> DecodeBase64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int digit = DigitOf(c);
    if (digit < 0) return Fail(ErrorCode::kInvalid, "not base64");
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xFF);
  }
  if (text.size() % 4 == 1) return Fail(ErrorCode::kInvalid, "not base64");
  return out;
}

}  // namespace vigia
