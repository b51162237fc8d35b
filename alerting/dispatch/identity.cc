#include "alerting/dispatch/identity.h"

#include <array>
#include <random>
#include <string_view>

#include "query/promql/syntax/quote.h"

namespace vigia::alerting::dispatch {

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
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::random_device random;  // not kept: it has 5 kB, which each of hundreds of threads would get
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

}  // namespace vigia::alerting::dispatch
