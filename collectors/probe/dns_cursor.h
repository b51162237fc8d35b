// A DnsCursor reads a DNS message (RFC 1035) from front to back; ok() is false once something did
// not fit, and all that is read from then on means nothing.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vigia::collectors::probe {

class DnsCursor {
 public:
  DnsCursor(std::string_view message, std::size_t at) : message_(message), at_(at) {}

  bool ok() const { return ok_; }
  std::size_t at() const { return at_; }
  void Skip(std::size_t count) { at_ += count; }

  // Big-endian, of at most 4 bytes.
  std::uint32_t Number(int bytes);
  std::string_view Bytes(std::size_t count);
  // What is left of the message.
  std::string_view Rest() { return Bytes(at_ < message_.size() ? message_.size() - at_ : 0); }
  // A name with its final dot, unpacked. Pointers lead strictly backwards, so this ends.
  std::string Name();

 private:
  const std::string_view message_;
  std::size_t at_;
  bool ok_ = true;
};

}  // namespace vigia::collectors::probe
