// Parameters stand in SQL as {{name}} and are replaced before the SQL is ever run.
//
// A parameter is the name of a table or a column ("auth_user", "shop.orders"), which is quoted part
// by part; between single quotes ('{{name}}') it is a text. Either way it cannot become anything
// else, whatever it holds. Braces around anything that is not a name are left alone.

#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vigia::collectors::kpi {

using Parameters = std::map<std::string, std::string>;

// Whether `name` may name a parameter: lower-case letters, digits and underscores.
bool IsParameterName(std::string_view name);

// "shop.orders" is "shop"."orders". Parts are exact: upper case is kept. A part in double quotes
// may hold dots. kInvalid for what is no name.
Result<std::string> QuoteIdentifier(std::string_view name);

// `sql` with its parameters replaced; adds the name of each to `used`. kInvalid for a name that
// is not in `parameters`, and for a value that is no identifier where it has to be one.
Result<std::string> Substitute(std::string_view sql, const Parameters& parameters,
                               std::set<std::string>& used);

}  // namespace vigia::collectors::kpi
