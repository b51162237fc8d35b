// Texts as Go's packages strings and regexp treat them.

#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace vigia::alerting::templates {

// Latin, Greek and Cyrillic letters; others stay as they are.
std::string ToUpper(std::string_view text);
std::string ToLower(std::string_view text);
// strings.Title: the first letter of each word becomes a capital.
std::string Title(std::string_view text);
// golang.org/x/text/cases.Title: the other letters become small as well.
std::string TitleAndLower(std::string_view text);
std::string_view TrimSpace(std::string_view text);

// Whether the pattern matches somewhere. Errors have Go's words.
Result<bool> RegexMatches(std::string_view pattern, std::string_view text);
// Every match replaced; `replacement` may name groups: $1, ${1}, $name.
Result<std::string> RegexReplaceAll(std::string_view pattern, std::string_view replacement,
                                    std::string_view text);

// "host:port" taken apart as net.SplitHostPort does; false if it is none.
bool SplitHostPort(std::string_view text, std::string_view& host, std::string_view& port);

}  // namespace vigia::alerting::templates
