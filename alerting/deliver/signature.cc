#include "alerting/deliver/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "core/base64.h"

namespace vigia::alerting::deliver {

std::string Sha256(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return {digest.begin(), digest.begin() + size};
}

std::string HmacSha256(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  const std::string bytes(text);
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       static_cast<const unsigned char*>(static_cast<const void*>(bytes.data())), bytes.size(),
       digest.data(), &size);
  return {digest.begin(), digest.begin() + size};
}

std::string Hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

Result<HttpFields> Sign(const std::vector<Secret>& keys, std::string_view id,
                        std::int64_t unix_seconds, std::string_view body) {
  constexpr std::string_view kPrefix = "whsec_";
  const auto timestamp = std::to_string(unix_seconds);
  const auto signed_text = std::string(id) + "." + timestamp + "." + std::string(body);
  std::string signatures;
  std::string plain;
  for (const Secret& secret : keys) {
    const auto text = secret.Reveal();
    if (!text) return Fail(text.error());
    std::string key = *text;
    if (key.starts_with(kPrefix)) {
      const auto bytes = DecodeBase64(std::string_view(key).substr(kPrefix.size()));
      if (!bytes) return Fail(bytes.error().In("signing key"));
      key = *bytes;
    }
    if (!signatures.empty()) signatures += ' ';
    signatures += "v1," + EncodeBase64(HmacSha256(key, signed_text));
    if (plain.empty()) plain = "sha256=" + Hex(HmacSha256(key, body));
  }
  if (keys.empty()) return HttpFields{};
  return HttpFields{{"webhook-id", std::string(id)},
                    {"webhook-timestamp", timestamp},
                    {"webhook-signature", signatures},
                    {"X-Signature-256", plain}};
}

}  // namespace vigia::alerting::deliver
