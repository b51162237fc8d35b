#include "core/text/scan.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "core/number.h"

namespace vigia::text {
namespace {

enum : unsigned char { kLetter = 1, kColon = 2, kDigit = 4 };

constexpr auto kClasses = [] {
  std::array<unsigned char, 256> classes{};
  for (std::size_t c = 'a'; c <= 'z'; ++c) classes[c] = classes[c - 'a' + 'A'] = kLetter;
  for (std::size_t c = '0'; c <= '9'; ++c) classes[c] = kDigit;
  classes['_'] = kLetter;
  classes[':'] = kColon;
  return classes;
}();

unsigned char ClassOf(char c) { return kClasses[static_cast<unsigned char>(c)]; }

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighs = 0x8080808080808080;

// The high bit of each byte of `word` that equals `c`; bytes above the first such one may be
// marked wrongly.
constexpr std::uint64_t Matches(std::uint64_t word, char c) {
  const std::uint64_t difference = word ^ (kOnes * static_cast<unsigned char>(c));
  return (difference - kOnes) & ~difference & kHighs;
}

// Digits with at most one point, few enough that one division of exact doubles gives the
// nearest double.
std::optional<double> ParsePlain(const char* at, const char* end) {
  constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
  constexpr std::uint64_t kExact = std::uint64_t{1} << 53;
  if (end - at > 19) return std::nullopt;
  std::uint64_t mantissa = 0;
  const char* point = nullptr;
  const char* const begin = at;
  for (; at != end; ++at) {
    const auto digit = static_cast<unsigned>(*at) - '0';
    if (digit <= 9) {
      mantissa = mantissa * 10 + digit;
    } else if (*at == '.' && !point) {
      point = at;
    } else {
      return std::nullopt;
    }
  }
  const auto digits = (end - begin) - (point ? 1 : 0);
  if (digits == 0 || digits > 18 || mantissa > kExact) return std::nullopt;
  const auto value = static_cast<double>(mantissa);
  return point ? value / kPowers[end - point - 1] : value;
}

}  // namespace

const char* SkipName(const char* at, const char* end, bool colon) {
  const int letter = colon ? kLetter | kColon : kLetter;
  if (at == end || !(ClassOf(*at) & letter)) return at;
  while (at != end && (ClassOf(*at) & (letter | kDigit))) ++at;
  return at;
}

const char* FindQuoteOrBackslash(const char* at, const char* end, const char* readable_end,
                                 bool& ascii) {
  std::uint64_t seen = 0;
  if constexpr (std::endian::native == std::endian::little) {
    while (readable_end - at >= 8 && at < end) {
      std::uint64_t word;
      std::memcpy(&word, at, sizeof word);
      const std::uint64_t found = Matches(word, '"') | Matches(word, '\\');
      if (found != 0) {
        const int first = std::countr_zero(found) & ~7;
        seen |= word & ((std::uint64_t{1} << first) - 1);
        at += first / 8;
        break;
      }
      seen |= word;
      at += 8;
    }
  }
  // The tail of the page, and bytes that were read beyond `end`, which only make `ascii` too
  // careful.
  if (at > end) at = end;
  while (at != end && *at != '"' && *at != '\\') seen |= static_cast<unsigned char>(*at++);
  if (seen & kHighs) ascii = false;
  return at;
}

std::optional<double> ParseValue(std::string_view text) {
  const bool negative = !text.empty() && text[0] == '-';
  const char* const begin = text.data() + (negative ? 1 : 0);
  if (const auto plain = ParsePlain(begin, text.data() + text.size())) {
    return negative ? -*plain : *plain;
  }
  if (text.find_first_of("xX") != text.npos) return std::nullopt;
  const auto value = ParseDouble(text);
  if (!value) return std::nullopt;
  if (std::isinf(*value) && text.find_first_of("iI") == text.npos) return std::nullopt;
  return *value;
}

bool AppendUnescaped(std::string& out, std::string_view text, bool quotes) {
  bool known = true;
  for (std::size_t at; (at = text.find('\\')) != text.npos;) {
    out.append(text, 0, at);
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (next == 'n') {
      out += '\n';
    } else if (next == '\\' || (quotes && next == '"')) {
      out += next;
    } else {
      known = false;
      out.append(text, at, 2);
    }
    text.remove_prefix(std::min(at + 2, text.size()));
  }
  out += text;
  return known;
}

}  // namespace vigia::text
