// String literals as Go writes and reads them, which is what PromQL's are.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vigia::promql {

// One character of UTF-8 text; a byte that is not part of one is kInvalidRune of length 1.
inline constexpr std::int32_t kInvalidRune = 0xFFFD;
struct Rune {
  std::int32_t code = kInvalidRune;
  std::size_t length = 1;
  bool valid = false;
};
// `text` must not be empty.
Rune DecodeRune(std::string_view text);
void AppendRune(std::string& out, std::int32_t code);

// strconv.Quote: in double quotes, with escapes for what is not printable.
std::string Quote(std::string_view text);
// The same of one character, in single quotes; end of input is -1 and written as Go does.
std::string QuoteRune(std::int32_t code);
// With its number in front, as Go's %#U: "U+0071 'q'".
std::string NumberRune(std::int32_t code);
// At most `runes` characters of `text`, quoted.
std::string QuotePrefix(std::string_view text, std::size_t runes);

// The content of a literal in double, single or back quotes.
Result<std::string> Unquote(std::string_view literal);

}  // namespace vigia::promql
