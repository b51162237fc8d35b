#include "alerting/dispatch/fingerprint.h"

#include <array>
#include <charconv>
#include <random>

#include "query/promql/syntax/quote.h"

namespace vigia::dispatch {
namespace {

constexpr std::uint64_t kOffset = 14695981039346656037U;
constexpr std::uint64_t kPrime = 1099511628211U;
constexpr std::string_view kDigits = "0123456789abcdef";

std::uint64_t AddByte(std::uint64_t hash, unsigned char byte) { return (hash ^ byte) * kPrime; }

std::uint64_t AddText(std::uint64_t hash, std::string_view text) {
  for (const char c : text) hash = AddByte(hash, static_cast<unsigned char>(c));
  return AddByte(hash, 0xff);
}

}  // namespace

Fingerprint FingerprintOf(const Labels& labels) {
  std::uint64_t hash = kOffset;
  for (const auto label : labels) {
    hash = AddText(hash, label.name);
    hash = AddText(hash, label.value);
  }
  return hash;
}

std::string ToHex(Fingerprint fingerprint) {
  std::string out(16, '0');
  for (std::size_t i = 16; i-- > 0; fingerprint >>= 4) out[i] = kDigits[fingerprint & 15];
  return out;
}

std::optional<Fingerprint> ParseFingerprint(std::string_view text) {
  Fingerprint value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size() || text.size() != 16) {
    return std::nullopt;
  }
  return value;
}

std::string LabelSetText(const Labels& labels) {
  std::string out = "{";
  for (const auto label : labels) {
    if (out.size() > 1) out += ", ";
    out += label.name;
    out += '=';
    out += promql::Quote(label.value);
  }
  return out + "}";
}

std::string NewUuid() {
  thread_local std::random_device random;
  std::array<unsigned char, 16> bytes{};
  for (auto& byte : bytes) byte = static_cast<unsigned char>(random());
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += kDigits[bytes[i] >> 4];
    out += kDigits[bytes[i] & 15];
  }
  return out;
}

}  // namespace vigia::dispatch
