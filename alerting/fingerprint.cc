#include "alerting/fingerprint.h"

#include <charconv>

namespace vigia::alerting {
namespace {

constexpr std::uint64_t kOffset = 0xcbf29ce484222325;
constexpr std::uint64_t kPrime = 0x100000001b3;

std::uint64_t Add(std::uint64_t hash, std::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
  return (hash ^ 0xFF) * kPrime;
}

}  // namespace

std::uint64_t Fingerprint(const Labels& labels) {
  std::uint64_t hash = kOffset;
  for (const auto [name, value] : labels) hash = Add(Add(hash, name), value);
  return hash;
}

std::string FingerprintText(std::uint64_t fingerprint) {
  std::string text(16, '0');
  for (std::size_t i = 16; i-- > 0; fingerprint >>= 4)
    text[i] = "0123456789abcdef"[fingerprint & 15];
  return text;
}

std::optional<std::uint64_t> ParseFingerprint(std::string_view text) {
  std::uint64_t fingerprint = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, fingerprint, 16);
  if (error != std::errc() || at != end || text.size() != 16) return std::nullopt;
  return fingerprint;
}

}  // namespace vigia::alerting
