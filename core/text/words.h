// Words of HTTP and its kin.

#pragma once

#include <string_view>

namespace vigia::text {

// Whether two words are the same but for the case of ASCII letters.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

// Whether a list such as "keep-alive, Upgrade" has the word, in any case.
bool ListHas(std::string_view list, std::string_view word);

}  // namespace vigia::text
