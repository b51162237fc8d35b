// Which Prometheus a query is written for.

#pragma once

namespace vigia::promql {

// kPrometheus2 is 2.42: windows closed on both sides, '.' in regular expressions without line
// breaks, numbers and durations apart, no quoted names, holt_winters, the older arithmetic.
enum class Semantics { kPrometheus3, kPrometheus2 };

}  // namespace vigia::promql
