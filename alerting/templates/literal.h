// Go's literals: numbers, characters, strings.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "alerting/templates/lexer.h"
#include "alerting/templates/value.h"
#include "core/result.h"

namespace vigia::alerting::templates {

// The value of a token that is a constant. The error is Go's: `bad number syntax: "1x"`.
Result<Value> ParseConstant(const Token& token);

// The text of a literal in "..." or `...`.
std::optional<std::string> UnquoteString(std::string_view literal);

void AppendUtf8(std::string& out, char32_t rune);

}  // namespace vigia::alerting::templates
