// Text of values as Go's fmt makes it.

#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "alerting/templates/value.h"

namespace vigia::alerting::templates {

struct Rune {
  char32_t code = 0;
  std::size_t size = 0;  // in bytes; 0 at the end of the text
  bool valid = true;     // else one byte that is no UTF-8, and the code U+FFFD
};
// The first character of `text`.
Rune DecodeRune(std::string_view text);
std::size_t CountRunes(std::string_view text);
// The front of `text` with at most `runes` characters.
std::string_view RunePrefix(std::string_view text, std::size_t runes);

// Whether Go takes the character for one that can be shown; an approximation of its tables.
bool IsPrintable(char32_t code);

// As `%q`: in double quotes, with what cannot be printed escaped.
std::string Quote(std::string_view text);

// strconv.FormatFloat for the verbs e, f, g and their capitals; precision -1 is the shortest
// text that reads back the same.
std::string FormatFloat(double value, char verb, int precision);

// As `%v`.
std::string Show(const Value& value);
// As fmt.Sprint (a space between operands of which neither is a string), Sprintln and Sprintf.
std::string Sprint(std::span<const Value> values);
std::string Sprintln(std::span<const Value> values);
std::string Sprintf(std::string_view format, std::span<const Value> values);

// The longest width or precision of a verb, as in Go.
inline constexpr int kMaxWidth = 1'000'000;

}  // namespace vigia::alerting::templates
