// Which labels the result of an expression can have.

#pragma once

#include <set>
#include <string>
#include <string_view>

#include "query/promql/syntax/ast.h"

namespace vigia::alerting::rules {

// Either a list of all that can be there, or of those that cannot.
struct LabelNames {
  bool open = true;  // `names` are those that cannot be there
  std::set<std::string, std::less<>> names;

  bool CanHave(std::string_view name) const { return names.contains(name) != open; }
};

LabelNames LabelNamesOf(const promql::Expr& expr);

}  // namespace vigia::alerting::rules
