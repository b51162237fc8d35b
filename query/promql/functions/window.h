// The windows of one series, as functions of range vectors see them.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/sample.h"
#include "query/promql/eval/context.h"
#include "query/promql/eval/operand.h"
#include "query/promql/eval/steps.h"
#include "query/promql/eval/vector.h"
#include "query/promql/syntax/ast.h"

namespace vigia::promql {

// Samples [begin, end) of the series. Both ends only grow from step to step.
struct Window {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  std::uint32_t size() const { return end - begin; }
};

struct WindowInput {
  std::span<const Timestamp> times;
  std::span<const double> values;   // no stale markers
  std::span<const Window> windows;  // one per step
  std::span<const Timestamp> ends;  // when each window ends, nominally
  std::int64_t length = 0;          // of a window, in milliseconds
  const Steps& steps;
  // The function's other arguments, in their order.
  std::span<const ScalarColumn> scalars;
  const Call& call;
  Context& context;
  // The function's own, for what it has found out about times, windows and scalars, not values: it
  // comes again with the next series if that has its samples at the same times, else empty.
  std::vector<double>& memo;

  std::span<const double> Values(Window window) const {
    return values.subspan(window.begin, window.size());
  }
  std::span<const Timestamp> Times(Window window) const {
    return times.subspan(window.begin, window.size());
  }
};

// Calls f(Window, step) -> double for every window of at least `least` samples, and stops when
// the query's time is up.
template <typename F>
void ForEachWindow(const WindowInput& in, std::span<double> out, std::uint32_t least, F&& f) {
  constexpr std::size_t kSamplesBetweenChecks = 4'000'000;
  std::size_t samples = 0;
  for (std::size_t step = 0; step < out.size(); ++step) {
    const Window window = in.windows[step];
    if (window.size() < least) continue;
    out[step] = f(window, step);
    samples += window.size();
    if (samples < kSamplesBetweenChecks) continue;
    samples = 0;
    if (auto status = in.context.Check(); !status) return in.context.Abort(status.error());
  }
}

}  // namespace vigia::promql
