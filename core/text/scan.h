// Finding one's way in a page, fast: names, quoted strings, numbers.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vigia::text {

// The end of the longest prefix of [at, end) that consists of letters, digits, '_' and, with
// `colon`, ':'; `at` itself where it begins with a digit.
const char* SkipName(const char* at, const char* end, bool colon);

// The first `"` or `\` in [at, end), or `end`. Bytes up to `readable_end` may be read. Sets
// `ascii` to false if a byte above 0x7F stands before it.
const char* FindQuoteOrBackslash(const char* at, const char* end, const char* readable_end,
                                 bool& ascii);

// A value as the formats write it: what Go's ParseFloat takes but for hexadecimal, '_' and
// numbers beyond the range of a double.
std::optional<double> ParseValue(std::string_view text);

// Appends `text` with \\ and \n, and with `quotes` \", replaced by what they stand for. Other
// escapes stay as they are, and make the result false.
bool AppendUnescaped(std::string& out, std::string_view text, bool quotes);

}  // namespace vigia::text
