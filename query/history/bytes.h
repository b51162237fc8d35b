// Reading and writing the bytes of the formats: little endian, LEB128 varints, zigzag for signed.

#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace vigia::history {

static_assert(std::endian::native == std::endian::little, "the formats are little endian");

inline constexpr std::size_t kMaxVarintBytes = 10;

inline char* WriteVarint(char* out, std::uint64_t value) {
  while (value >= 0x80) {
    *out++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<char>(value);
  return out;
}

inline void AppendVarint(std::string& out, std::uint64_t value) {
  char buffer[kMaxVarintBytes];
  out.append(buffer, WriteVarint(buffer, value));
}

inline std::uint64_t Zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

inline std::int64_t Unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

inline void AppendZigzag(std::string& out, std::int64_t value) { AppendVarint(out, Zigzag(value)); }

template <typename T>
void AppendFixed(std::string& out, T value) {
  char buffer[sizeof value];
  std::memcpy(buffer, &value, sizeof value);
  out.append(buffer, sizeof value);
}

template <typename T>
T LoadFixed(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Differences and sums that wrap: times and scaled values may lie anywhere in 64 bits.
inline std::int64_t WrappingSub(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
inline std::int64_t WrappingAdd(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

// Reads from the front of a range of bytes. After the first read beyond the end it has
// failed(), and every read gives zero: a caller checks once.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool failed() const { return failed_; }
  const char* at() const { return at_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  std::uint8_t Byte() {
    if (at_ == end_) return Fail(), std::uint8_t{0};
    return static_cast<std::uint8_t>(*at_++);
  }

  std::uint64_t Varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint64_t byte = Byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    Fail();
    return 0;
  }

  std::int64_t SignedVarint() { return Unzigzag(Varint()); }

  template <typename T>
  T Fixed() {
    if (left() < sizeof(T)) return Fail(), T{};
    const T value = LoadFixed<T>(at_);
    at_ += sizeof(T);
    return value;
  }

  std::string_view Bytes(std::size_t size) {
    if (left() < size) return Fail(), std::string_view{};
    const std::string_view bytes(at_, size);
    at_ += size;
    return bytes;
  }

 private:
  void Fail() {
    failed_ = true;
    at_ = end_;
  }

  const char* at_;
  const char* end_;
  bool failed_ = false;
};

}  // namespace vigia::history
