#include "exporter/http/request_id.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

#include "core/hash.h"

namespace vigia::http {
namespace {

std::uint64_t RandomBits() {
  std::uint64_t bits = 0;
  // Up to 256 bytes are never cut short.
  [[maybe_unused]] const auto n = ::getrandom(&bits, sizeof bits, 0);
  return bits;
}

}  // namespace

bool IsRequestId(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

std::string MakeRequestId() {
  static const std::uint64_t key = RandomBits();
  static std::atomic<std::uint64_t> count{RandomBits()};
  std::array<std::uint64_t, 2> input{key, count.fetch_add(1, std::memory_order_relaxed)};
  std::string id;
  for (int half = 0; half < 2; ++half) {
    std::uint64_t bits = HashBytes({reinterpret_cast<const char*>(input.data()), sizeof input});
    for (int i = 0; i < 16; ++i, bits >>= 4) id += "0123456789abcdef"[bits & 15];
    input[0] = ~key;
  }
  return id;
}

}  // namespace vigia::http
