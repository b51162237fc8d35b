// Quantiles of samples.

#pragma once

#include <span>

namespace vigia::promql {

// Interpolated between the two nearest; NaN counts as the smallest value. NaN of nothing, -Inf
// below q = 0, +Inf above 1. Reorders `values`.
double Quantile(double q, std::span<double> values);

}  // namespace vigia::promql
