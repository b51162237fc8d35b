#include "query/promql/functions/quantile.h"

#include <algorithm>
#include <cmath>

#include "core/sample.h"

namespace vigia::promql {

double Quantile(double q, std::span<double> values) {
  if (values.empty() || std::isnan(q)) return kNaN;
  if (q < 0) return -kInfinity;
  if (q > 1) return kInfinity;
  const auto less = [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; };
  const auto count = static_cast<double>(values.size());
  const double rank = q * (count - 1);
  const auto lower = static_cast<std::size_t>(std::max(0.0, std::floor(rank)));
  const auto upper = std::min(values.size() - 1, lower + 1);
  const auto at = [&](std::size_t i) { return values.begin() + static_cast<std::ptrdiff_t>(i); };
  std::nth_element(values.begin(), at(lower), values.end(), less);
  const double below = values[lower];
  const double above =
      upper == lower ? below : *std::min_element(at(lower + 1), values.end(), less);
  const double weight = rank - std::floor(rank);
  return below * (1 - weight) + above * weight;
}

}  // namespace vigia::promql
