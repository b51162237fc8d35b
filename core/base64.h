// Base64 (RFC 4648).

#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace vigia {

// `url_safe`: with - and _ for + and /. Padded.
std::string EncodeBase64(std::string_view bytes, bool url_safe = false);
// Either alphabet, padding optional. kInvalid for anything else.
Result<std::string> DecodeBase64(std::string_view text);

}  // namespace vigia
