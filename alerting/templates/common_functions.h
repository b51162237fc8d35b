// Functions that rules and notifications share.

#pragma once

#include "alerting/templates/function.h"

namespace vigia::alerting::templates::common {

using Arguments = std::span<const Value>;

Result<Value> Upper(const Environment&, Arguments);
Result<Value> Lower(const Environment&, Arguments);
Result<Value> Match(const Environment&, Arguments);
Result<Value> ReplaceAll(const Environment&, Arguments);
Result<Value> SafeHtml(const Environment&, Arguments);
Result<Value> DurationForPeople(const Environment&, Arguments);

}  // namespace vigia::alerting::templates::common
