#include "alerting/templates/print.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "alerting/templates/function.h"
#include "alerting/templates/literal.h"
#include "core/text/utf8.h"

namespace vigia::alerting::templates {
namespace {

// Digits d1 d2 ... of 0.d1d2... * 10^point.
struct Digits {
  std::string digits;
  int point = 0;
};

Digits ShortestDigits(double value) {
  std::array<char, 40> buffer{};
  const auto end =
      std::to_chars(buffer.begin(), buffer.end(), value, std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data()));
  const auto e = text.find('e');
  Digits out;
  for (const char c : text.substr(0, e)) {
    if (c != '.') out.digits += c;
  }
  int exponent = 0;
  auto tail = text.substr(e + 1);
  if (tail.starts_with('+')) tail.remove_prefix(1);
  std::from_chars(tail.data(), tail.data() + tail.size(), exponent);
  out.point = exponent + 1;
  while (out.digits.size() > 1 && out.digits.back() == '0') out.digits.pop_back();
  if (value == 0) out.point = 1;
  return out;
}

std::string Scientific(const Digits& number, char letter) {
  std::string out = number.digits.substr(0, 1);
  if (number.digits.size() > 1) out += "." + number.digits.substr(1);
  const int exponent = number.point - 1;
  const auto magnitude = std::to_string(std::abs(exponent));
  out += letter;
  out += exponent < 0 ? '-' : '+';
  if (magnitude.size() < 2) out += '0';
  return out + magnitude;
}

std::string Positional(const Digits& number) {
  const auto size = static_cast<int>(number.digits.size());
  if (number.point <= 0) {
    return "0." + std::string(static_cast<std::size_t>(-number.point), '0') + number.digits;
  }
  if (number.point >= size) {
    return number.digits + std::string(static_cast<std::size_t>(number.point - size), '0');
  }
  const auto point = static_cast<std::size_t>(number.point);
  return number.digits.substr(0, point) + "." + number.digits.substr(point);
}

std::string Shortest(double value, char verb) {
  const auto number = ShortestDigits(value);
  if (verb == 'e' || verb == 'E') return Scientific(number, verb);
  if (verb == 'f' || verb == 'F') return Positional(number);
  // strconv takes %e below 1e-4 and from 1e6 on.
  const int exponent = number.point - 1;
  if (exponent < -4 || exponent >= 6) return Scientific(number, verb == 'G' ? 'E' : 'e');
  return Positional(number);
}

void AppendRuneEscape(std::string& out, char32_t code) {
  std::array<char, 16> buffer{};
  const char* const form = code < 0x80 ? "\\x%02x" : code < 0x10000 ? "\\u%04x" : "\\U%08x";
  std::snprintf(buffer.data(), buffer.size(), form, static_cast<unsigned>(code));
  out += buffer.data();
}

void AppendQuotedRune(std::string& out, const Rune& rune, std::string_view text) {
  constexpr std::string_view kControls = "\a\b\f\n\r\t\v";
  constexpr std::string_view kLetters = "abfnrtv";
  if (!rune.valid) return AppendRuneEscape(out, static_cast<unsigned char>(text.front()));
  if (rune.code == '"' || rune.code == '\\') {
    out += '\\';
    out += static_cast<char>(rune.code);
  } else if (const auto at =
                 rune.code < 0x80 ? kControls.find(static_cast<char>(rune.code)) : kControls.npos;
             at != kControls.npos) {
    out += '\\';
    out += kLetters[at];
  } else if (IsPrintable(rune.code)) {
    out += text.substr(0, rune.size);
  } else {
    AppendRuneEscape(out, rune.code);
  }
}

}  // namespace

// Spaces other than ' ', and what has no shape.
bool IsPrintable(char32_t code) {
  if (code < 0x20 || code == 0x7F) return false;
  if (code >= 0x80 && code <= 0xA0) return false;
  if (code == 0xAD || (code >= 0x2000 && code <= 0x200F) || (code >= 0x2028 && code <= 0x202F)) {
    return false;
  }
  return !(code >= 0xD800 && code < 0xF900) && code != 0xFEFF && code != 0x3000 && code < 0xE0000;
}

Rune DecodeRune(std::string_view text) {
  if (text.empty()) return {};
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC0 || text.size() < size || !text::IsUtf8(text.substr(0, size))) {
    return {0xFFFD, 1, false};
  }
  char32_t code = lead & (0x7F >> size);
  for (std::size_t i = 1; i < size; ++i) {
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3F);
  }
  return {code, size};
}

std::size_t CountRunes(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(DecodeRune(text).size);
  return count;
}

std::string_view RunePrefix(std::string_view text, std::size_t runes) {
  std::size_t size = 0;
  for (; runes > 0 && size < text.size(); --runes) size += DecodeRune(text.substr(size)).size;
  return text.substr(0, size);
}

std::string Quote(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const auto rune = DecodeRune(text);
    AppendQuotedRune(out, rune, text);
    text.remove_prefix(rune.size);
  }
  return out + '"';
}

std::string FormatFloat(double value, char verb, int precision) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (precision < 0) {
    return (std::signbit(value) ? "-" : "") + Shortest(std::fabs(value), verb);
  }
  const char form[] = {'%', '.', '*', verb, '\0'};
  std::string out(static_cast<std::size_t>(precision) + 350, '\0');
  const int size = std::snprintf(out.data(), out.size(), form, precision, value);
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::string Show(const Value& value) { return Sprintf("%v", {&value, 1}); }

std::string Sprint(std::span<const Value> values) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0 && !values[i - 1].string() && !values[i].string()) out += ' ';
    out += Show(values[i]);
  }
  return out;
}

std::string Sprintln(std::span<const Value> values) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i) out += (i > 0 ? " " : "") + Show(values[i]);
  return out + "\n";
}

}  // namespace vigia::alerting::templates
