#include "query/promql/syntax/quote.h"

#include <array>
#include <cstdio>

#include "core/text/utf8.h"

namespace vigia::promql {
namespace {

constexpr char kHex[] = "0123456789abcdef";

// A stand-in for Go's tables: letters, marks and symbols above Latin-1's controls count as
// printable, the invisible and private characters do not.
bool IsPrintable(std::int32_t code) {
  if (code < 0x20 || code == 0x7F) return false;
  if (code < 0x7F) return true;
  if (code <= 0xA0 || code == 0xAD) return false;
  if (code >= 0x2000 && code <= 0x200F) return false;
  if (code >= 0x2028 && code <= 0x202F) return false;
  if (code >= 0x205F && code <= 0x206F) return false;
  if (code == 0x3000 || code == 0xFEFF) return false;
  if (code >= 0xD800 && code <= 0xF8FF) return false;
  return code < 0xE0000;
}

void AppendHex(std::string& out, std::string_view prefix, std::uint32_t value, int digits) {
  out += prefix;
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += kHex[(value >> shift) & 15];
}

char ShortEscape(std::int32_t code) {
  switch (code) {
    case '\a':
      return 'a';
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    case '\v':
      return 'v';
    default:
      return 0;
  }
}

void AppendQuoted(std::string& out, std::int32_t code, char quote) {
  if (code == quote || code == '\\') {
    out += '\\';
    out += static_cast<char>(code);
  } else if (const char escape = ShortEscape(code)) {
    out += '\\';
    out += escape;
  } else if (IsPrintable(code)) {
    AppendRune(out, code);
  } else if (code < 0x80) {
    AppendHex(out, "\\x", static_cast<std::uint32_t>(code), 2);
  } else if (code < 0x10000) {
    AppendHex(out, "\\u", static_cast<std::uint32_t>(code), 4);
  } else {
    AppendHex(out, "\\U", static_cast<std::uint32_t>(code), 8);
  }
}

int DigitValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 16;
}

// Reads the escape behind a backslash, which `rest` begins with; removes it from `rest`.
bool UnquoteEscape(std::string_view& rest, char quote, std::string& out) {
  if (rest.size() < 2) return false;
  const char kind = rest[1];
  rest.remove_prefix(2);
  constexpr std::string_view kNames = "abfnrtv\\";
  constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\";
  if (const auto at = kNames.find(kind); at != std::string_view::npos) {
    out += kValues[at];
    return true;
  }
  if (kind == '"' || kind == '\'') {
    out += kind;
    return kind == quote;
  }
  std::size_t digits = 0;
  std::uint32_t value = 0;
  std::uint32_t base = 16;
  switch (kind) {
    case 'x':
      digits = 2;
      break;
    case 'u':
      digits = 4;
      break;
    case 'U':
      digits = 8;
      break;
    default:
      if (kind < '0' || kind > '7') return false;
      digits = 2;
      base = 8;
      value = static_cast<std::uint32_t>(kind - '0');
  }
  if (rest.size() < digits) return false;
  for (std::size_t i = 0; i < digits; ++i) {
    const auto digit = static_cast<std::uint32_t>(DigitValue(rest[i]));
    if (digit >= base) return false;
    value = value * base + digit;
  }
  rest.remove_prefix(digits);
  if (kind == 'u' || kind == 'U') {
    if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) return false;
    AppendRune(out, static_cast<std::int32_t>(value));
    return true;
  }
  if (value > 255) return false;
  out += static_cast<char>(value);
  return true;
}

}  // namespace

Rune DecodeRune(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  for (std::size_t length = 2; length <= 4 && length <= text.size(); ++length) {
    if (!text::IsUtf8(text.substr(0, length))) continue;
    std::int32_t code = lead & (0x7F >> length);
    for (std::size_t i = 1; i < length; ++i) code = (code << 6) | (byte(i) & 0x3F);
    return {code, length, true};
  }
  return {};
}

void AppendRune(std::string& out, std::int32_t code) {
  const auto put = [&](std::int32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

std::string Quote(std::string_view text) { return QuotePrefix(text, text.size()); }

std::string NumberRune(std::int32_t code) {
  std::array<char, 16> number{};
  std::snprintf(number.data(), number.size(), "U+%04X ",
                static_cast<unsigned>(code < 0 ? kInvalidRune : code));
  return number.data() + QuoteRune(code);
}

std::string QuoteRune(std::int32_t code) {
  std::string out = "'";
  AppendQuoted(out, code < 0 ? kInvalidRune : code, '\'');
  return out + "'";
}

std::string QuotePrefix(std::string_view text, std::size_t runes) {
  std::string out = "\"";
  for (; !text.empty() && runes > 0; --runes) {
    const Rune rune = DecodeRune(text);
    if (rune.valid) {
      AppendQuoted(out, rune.code, '"');
    } else {
      AppendHex(out, "\\x", static_cast<unsigned char>(text[0]), 2);
    }
    text.remove_prefix(rune.length);
  }
  return out + '"';
}

Result<std::string> Unquote(std::string_view literal) {
  const auto fail = [] { return Fail(ErrorCode::kInvalid, "invalid syntax"); };
  if (literal.size() < 2 || literal.front() != literal.back()) return fail();
  const char quote = literal.front();
  std::string_view rest = literal.substr(1, literal.size() - 2);
  if (quote == '`') {
    if (rest.find('`') != std::string_view::npos) return fail();
    return std::string(rest);
  }
  if ((quote != '"' && quote != '\'') || rest.find('\n') != std::string_view::npos) return fail();
  std::string out;
  out.reserve(rest.size());
  while (!rest.empty()) {
    if (rest[0] == quote) return fail();
    if (rest[0] != '\\') {
      out += rest[0];
      rest.remove_prefix(1);
    } else if (!UnquoteEscape(rest, quote, out)) {
      return fail();
    }
  }
  return out;
}

}  // namespace vigia::promql
