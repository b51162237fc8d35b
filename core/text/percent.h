// Percent-encoding (RFC 3986, section 2.1) and that of forms.

#pragma once

#include <string>
#include <string_view>

namespace vigia::text {

// Keeps letters, digits and the bytes in `kept`. `plus`: a blank becomes '+', as in forms.
std::string PercentEncode(std::string_view text, std::string_view kept, bool plus);

// application/x-www-form-urlencoded, as Go's url.QueryEscape.
std::string FormEncode(std::string_view text);

// A broken escape stands for itself. `plus`: '+' is a blank.
std::string PercentDecode(std::string_view text, bool plus);

}  // namespace vigia::text
