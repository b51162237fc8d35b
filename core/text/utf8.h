// UTF-8, the encoding of every label value.

#pragma once

#include <string>
#include <string_view>

namespace vigia::text {

// The length of the longest front of `text` that is well-formed UTF-8: no overlong forms, no
// surrogates, nothing above U+10FFFF.
std::size_t Utf8PrefixLength(std::string_view text);

bool IsUtf8(std::string_view text);

// `text` with every byte that is not part of well-formed UTF-8 replaced by U+FFFD.
std::string RepairUtf8(std::string_view text);

}  // namespace vigia::text
