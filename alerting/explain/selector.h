// Why a selector chooses what it chooses, or nothing.

#pragma once

#include "alerting/explain/expression.h"

namespace vigia::alerting::explain {

struct Selected {
  Finding finding;
  std::string cause;  // empty unless it chooses nothing
};

// At `time`, which the selector's own "offset" and "@" shift. `window` is that of a range, in ms; 0
// for an instant selector.
Selected ExplainSelector(const Question& question, const promql::VectorSelector& selector,
                         std::int64_t window, Timestamp time);

}  // namespace vigia::alerting::explain
