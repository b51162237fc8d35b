// The signature of a function (Function::parameters), and what fits its parameters.

#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "alerting/templates/ast.h"
#include "alerting/templates/value.h"
#include "core/result.h"

namespace vigia::alerting::templates {

struct Signature {
  explicit Signature(std::string_view text)
      : variadic(text.ends_with('*')), letters(variadic ? text.substr(0, text.size() - 1) : text) {}

  std::size_t fixed() const { return letters.size() - (variadic ? 1 : 0); }
  char Letter(std::size_t i) const { return letters[std::min(i, letters.size() - 1)]; }

  bool variadic;
  std::string_view letters;
};

// Go's words for the type of a parameter: "float64".
std::string_view ParameterType(char letter);

bool FitsParameter(const Value& value, char letter);
// Why it does not, as Go says it.
std::string Misfit(const Value& value, char letter);

// The value of a constant for a parameter, or why it does not fit: a number takes the type of its
// parameter.
tl::expected<Value, std::string> FitConstant(const Node& node, char letter);

}  // namespace vigia::alerting::templates
