// Parses Go's template language. Faults read as Go prints them: `template: page:3: unexpected
// "}" in operand`.

#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "alerting/templates/ast.h"
#include "alerting/templates/function.h"
#include "core/result.h"

namespace vigia::alerting::templates {

using Trees = std::map<std::string, std::shared_ptr<const Tree>, std::less<>>;

// The names that a text can use.
struct Vocabulary {
  std::span<const Function> functions;  // besides the built-in ones
  std::vector<std::string> variables;   // of the text itself, besides `$`; not of what it defines
};

// Parses the template `name` and those that its text defines, and adds them to `trees`. A
// template with the name of an earlier one replaces it, unless it is empty.
Status Parse(std::string_view name, std::string_view text, const Vocabulary& vocabulary,
             Trees& trees);

}  // namespace vigia::alerting::templates
