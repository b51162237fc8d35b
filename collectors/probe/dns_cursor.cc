#include "collectors/probe/dns_cursor.h"

namespace vigia::collectors::probe {
namespace {

void AppendLabel(std::string_view label, std::string& name) {
  for (const char c : label) {
    const auto code = static_cast<unsigned char>(c);
    if (code <= 0x20 || code >= 0x7F) {
      name += '\\';
      name += static_cast<char>('0' + code / 100);
      name += static_cast<char>('0' + code / 10 % 10);
      name += static_cast<char>('0' + code % 10);
    } else {
      if (c == '.' || c == '\\' || c == '"') name += '\\';
      name += c;
    }
  }
  name += '.';
}

}  // namespace

std::uint32_t DnsCursor::Number(int bytes) {
  std::uint32_t value = 0;
  for (const char byte : Bytes(static_cast<std::size_t>(bytes))) {
    value = value << 8 | static_cast<unsigned char>(byte);
  }
  return value;
}

std::string_view DnsCursor::Bytes(std::size_t count) {
  if (at_ > message_.size() || count > message_.size() - at_) {
    ok_ = false;
    return {};
  }
  const auto bytes = message_.substr(at_, count);
  at_ += count;
  return bytes;
}

std::string DnsCursor::Name() {
  std::string name;
  std::size_t at = at_;
  std::size_t barrier = at_;
  bool jumped = false;
  while (ok_ && name.size() < 1024) {
    if (at >= message_.size()) break;
    const auto length = static_cast<unsigned char>(message_[at]);
    if (length >= 0xC0) {
      if (at + 1 >= message_.size()) break;
      const std::size_t target =
          (length & 0x3FU) << 8 | static_cast<unsigned char>(message_[at + 1]);
      if (!jumped) at_ = at + 2;
      jumped = true;
      if (target >= barrier) break;
      barrier = at = target;
      continue;
    }
    if (length >= 0x40 || at + 1 + length > message_.size()) break;
    if (length == 0) {
      if (!jumped) at_ = at + 1;
      return name.empty() ? "." : name;
    }
    AppendLabel(message_.substr(at + 1, length), name);
    at += 1 + std::size_t{length};
  }
  ok_ = false;
  return {};
}

}  // namespace vigia::collectors::probe
