// Names for requests, to find them in logs.

#pragma once

#include <string>
#include <string_view>

namespace vigia::http {

// What a client may choose itself: 1 to 128 letters, digits, '.', '_', '-'.
bool IsRequestId(std::string_view text);

// 32 hexadecimal digits, different each time and hard to guess.
std::string MakeRequestId();

}  // namespace vigia::http
