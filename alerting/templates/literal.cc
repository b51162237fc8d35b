#include "alerting/templates/literal.h"

#include <charconv>
#include <cstdlib>

#include "alerting/templates/print.h"
#include "core/number.h"
#include "core/text/utf8.h"

namespace vigia::alerting::templates {
namespace {

std::optional<std::uint32_t> ReadDigits(std::string_view& text, std::size_t count, int base) {
  if (text.size() < count) return std::nullopt;
  std::uint32_t value = 0;
  const char* const end = text.data() + count;
  const auto [at, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc() || at != end) return std::nullopt;
  text.remove_prefix(count);
  return value;
}

bool AppendNumericEscape(std::string& out, char letter, std::string_view& text) {
  if (letter == 'u' || letter == 'U') {
    const auto rune = ReadDigits(text, letter == 'u' ? 4 : 8, 16);
    if (!rune || *rune > 0x10FFFF || (*rune >= 0xD800 && *rune < 0xE000)) return false;
    AppendUtf8(out, *rune);
    return true;
  }
  const auto byte = letter == 'x' ? ReadDigits(text, 2, 16) : ReadDigits(text, 3, 8);
  if (!byte || *byte > 0xFF) return false;
  out += static_cast<char>(*byte);
  return true;
}

// `text` begins after the backslash.
bool AppendEscape(std::string& out, char quote, std::string_view& text) {
  constexpr std::string_view kLetters = "abfnrtv\\";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\";
  if (text.empty()) return false;
  const char letter = text.front();
  if (letter >= '0' && letter <= '7') return AppendNumericEscape(out, letter, text);
  text.remove_prefix(1);
  if (const auto at = kLetters.find(letter); at != kLetters.npos) {
    out += kMeanings[at];
    return true;
  }
  if (letter == quote) {
    out += letter;
    return true;
  }
  return (letter == 'x' || letter == 'u' || letter == 'U') &&
         AppendNumericEscape(out, letter, text);
}

std::optional<std::string> Unescape(std::string_view text, char quote) {
  std::string out;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c != '\\') {
      out += c;
    } else if (!AppendEscape(out, quote, text)) {
      return std::nullopt;
    }
  }
  return out;
}

Result<Value> ParseCharacter(std::string_view literal) {
  const auto text = Unescape(literal.substr(1, literal.size() - 2), '\'');
  const auto rune = text ? DecodeRune(*text) : Rune{};
  if (!text || rune.size == 0 || rune.size != text->size()) {
    return Fail(ErrorCode::kInvalid, "malformed character constant: " + std::string(literal));
  }
  return Value(static_cast<std::int64_t>(rune.code));
}

// A whole number in base 10, 16 (0x), 8 (0o or 0) or 2 (0b).
std::optional<std::int64_t> ParseWhole(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text.front() == '0') {
    const char letter = static_cast<char>(text[1] | 0x20);
    base = letter == 'x' ? 16 : letter == 'b' ? 2 : 8;
    text.remove_prefix(letter == 'x' || letter == 'b' || letter == 'o' ? 2 : 1);
  }
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value, base);
  const std::uint64_t limit = std::uint64_t{1} << 63;
  if (error != std::errc() || at != end || text.empty() || value > limit - (negative ? 0 : 1)) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(negative ? 0 - value : value);
}

Result<Value> ParseNumber(std::string_view literal) {
  std::string text;
  for (const char c : literal) {
    if (c != '_') text += c;
  }
  if (const auto whole = ParseWhole(text)) return Value(*whole);
  const bool hexadecimal = text.find_first_of("xX") != text.npos;
  const bool fraction = text.find_first_of(hexadecimal ? ".pP" : ".eE") != text.npos;
  if (fraction && text.find_first_of("nN") == text.npos) {
    if (const auto number = ParseDouble(text)) return Value(*number);
  }
  return Fail(ErrorCode::kInvalid, "bad number syntax: " + Quote(literal));
}

}  // namespace

void AppendUtf8(std::string& out, char32_t rune) {
  const auto add = [&](char32_t byte) { out += static_cast<char>(byte); };
  if (rune < 0x80) {
    add(rune);
  } else if (rune < 0x800) {
    add(0xC0 | rune >> 6);
    add(0x80 | (rune & 0x3F));
  } else if (rune < 0x10000) {
    add(0xE0 | rune >> 12);
    add(0x80 | (rune >> 6 & 0x3F));
    add(0x80 | (rune & 0x3F));
  } else {
    add(0xF0 | rune >> 18);
    add(0x80 | (rune >> 12 & 0x3F));
    add(0x80 | (rune >> 6 & 0x3F));
    add(0x80 | (rune & 0x3F));
  }
}

std::optional<std::string> UnquoteString(std::string_view literal) {
  if (literal.size() < 2) return std::nullopt;
  const auto inside = literal.substr(1, literal.size() - 2);
  if (literal.front() != '`') return Unescape(inside, '"');
  std::string out;
  for (const char c : inside) {
    if (c != '\r') out += c;  // as Go's raw strings
  }
  return out;
}

Result<Value> ParseConstant(const Token& token) {
  using K = Token::Kind;
  if (token.kind == K::kBool) return Value(token.text == "true");
  if (token.kind == K::kCharacter) return ParseCharacter(token.text);
  if (token.kind == K::kNumber) return ParseNumber(token.text);
  auto text = UnquoteString(token.text);
  if (!text) return Fail(ErrorCode::kInvalid, "invalid syntax");
  return Value(*std::move(text));
}

}  // namespace vigia::alerting::templates
