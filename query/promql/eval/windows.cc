// Functions of range vectors, and range vectors by themselves: each series is read once, and a
// window slides over its samples.

#include <algorithm>
#include <numeric>

#include "query/promql/eval/evaluator.h"
#include "query/promql/eval/rows.h"
#include "query/promql/functions/function.h"
#include "query/promql/functions/window.h"

namespace vigia::promql {

struct Evaluator::WindowJob {
  const Call& call;
  const WindowFunction function;
  const Steps& steps;
  std::vector<ScalarColumn> scalars;
  Vector out;
};

namespace {

struct Scratch {
  Columns samples;
  std::vector<Window> windows;
};

void DropStale(Columns& samples) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (IsStale(samples.values[i])) continue;
    samples.times[kept] = samples.times[i];
    samples.values[kept] = samples.values[i];
    ++kept;
  }
  samples.times.resize(kept);
  samples.values.resize(kept);
}

// The windows (end - reach - 1, end], which for Prometheus 2 are closed on both sides. Returns
// the samples in all of them together, and in the largest.
std::pair<std::size_t, std::size_t> Slide(std::span<const Timestamp> times,
                                          std::span<const Timestamp> ends, std::int64_t reach,
                                          std::vector<Window>& windows) {
  windows.resize(ends.size());
  Window window;
  const auto count = static_cast<std::uint32_t>(times.size());
  std::size_t total = 0;
  std::size_t largest = 0;
  for (std::size_t step = 0; step < ends.size(); ++step) {
    while (window.end < count && times[window.end] <= ends[step]) ++window.end;
    while (window.begin < window.end && times[window.begin] < ends[step] - reach) ++window.begin;
    windows[step] = window;
    total += window.size();
    largest = std::max<std::size_t>(largest, window.size());
  }
  return {total, largest};
}

bool EndsLikeCounter(std::string_view name) {
  for (const std::string_view ending : {"_total", "_sum", "_count", "_bucket"}) {
    if (name.ends_with(ending)) return true;
  }
  return false;
}

// rate() and increase() of what does not look like a counter are worth a word.
void InformOfNonCounters(const Call& call, const Vector& result, Context& context) {
  if (context.is2() || (call.function.name != "rate" && call.function.name != "increase")) return;
  std::string_view last;
  for (const auto& labels : result.labels) {
    const auto name = labels.MetricName();
    if (name.empty() || name == last || EndsLikeCounter(name)) continue;
    last = name;
    std::string text =
        "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"";
    context.annotations.Inform((text += name) += '"', call.args[0]->range);
  }
}

}  // namespace

QueryResult<Vector> Evaluator::EvalWindows(const Call& call, const Steps& steps) {
  auto out = EvalWindowsWith(std::get<WindowFunction>(call.function.implementation), call, steps);
  if (!out) return out;
  InformOfNonCounters(call, *out, context_);
  if (call.function.Has(Function::kKeepsName)) return out;
  out->name_dropped = true;
  if (auto unique = MergeEqualRows(*out, true); !unique) return Fail(unique.error());
  return out;
}

QueryResult<Vector> Evaluator::EvalWindowsWith(WindowFunction function, const Call& call,
                                               const Steps& steps) {
  WindowJob job{call, function, steps, {}, Vector(steps.count)};
  const Expr* range = nullptr;
  for (const auto& arg : call.args) {
    if (arg->type == ValueType::kMatrix) {
      range = &Unwrap(*arg);
      continue;
    }
    auto scalar = EvalScalar(*arg, steps);
    if (!scalar) return Fail(scalar.error());
    job.scalars.push_back(std::move(*scalar));
  }
  const auto status = range->kind == NodeKind::kSubquery
                          ? WindowsOfSubquery(static_cast<const Subquery&>(*range), job)
                          : WindowsOfSelector(static_cast<const MatrixSelector&>(*range), job);
  if (!status) return Fail(status.error());
  return std::move(job.out);
}

// With @, the same window at all steps; but in Prometheus 2.42 it slides on from there.
std::vector<Timestamp> Evaluator::WindowEnds(const TimeShift& shift, const Steps& steps) const {
  std::vector<Timestamp> ends(steps.count, Shifted(shift, steps.start));
  const bool slides = shift.at == TimeShift::At::kNone || context_.is2();
  for (std::size_t i = 0; slides && i < ends.size(); ++i) ends[i] += steps.At(i) - steps.start;
  return ends;
}

QueryStatus Evaluator::WindowsOfSelector(const MatrixSelector& matrix, WindowJob& job) {
  const Steps& steps = job.steps;
  const TimeShift& shift = matrix.selector->shift;
  const std::int64_t reach = matrix.window - (context_.is2() ? 0 : 1);
  const std::vector<Timestamp> ends = WindowEnds(shift, steps);
  const auto stored = scope_.Stored(shift, reach, context_.times());
  const Timestamp from = std::max(ends.front() - reach, stored.from);
  const Timestamp to = std::min(ends.back(), stored.to);
  auto series = Select(matrix.selector->matchers, {from, to});
  if (!series) return Fail(series.error());

  const auto make = [&](Scratch& scratch, std::size_t i, std::span<double> row) {
    auto& samples = scratch.samples;
    samples.Clear();
    if (auto status = (*series)[i]->Read(from, to, samples); !status) {
      context_.Abort({QueryError::Kind::kInternal, status.error().message()});
      return false;
    }
    DropStale(samples);
    if (samples.size() == 0) return false;
    const auto [total, largest] = Slide(samples.times, ends, reach, scratch.windows);
    context_.CountRead(total);
    const WindowInput input{samples.times, samples.values, scratch.windows, ends,    matrix.window,
                            steps,         job.scalars,    job.call,        context_};
    job.function(input, row);
    const auto present = static_cast<std::size_t>(std::count_if(row.begin(), row.end(), IsPresent));
    if (!context_.Charge(present + largest)) return false;
    context_.Release(largest);
    return present > 0;
  };
  const auto labels = [&](std::size_t i) { return (*series)[i]->labels(); };
  auto rows = MakeRows<Scratch>(context_, series->size(), steps.count, labels, make);
  if (!rows) return Fail(rows.error());
  job.out = std::move(*rows);
  for (const auto& matcher : matrix.selector->matchers) {
    if (matcher.op == Matcher::Op::kEqual && matcher.name == kMetricName) {
      job.out.unique_without_name = true;
    }
  }
  return {};
}

QueryResult<Steps> Evaluator::InnerSteps(const Subquery& subquery, Timestamp first_end,
                                         Timestamp last_end) {
  const std::int64_t interval =
      subquery.step != 0 ? subquery.step : context_.settings.default_subquery_step;
  // Aligned to multiples of the step, whatever the query's start is.
  const Timestamp begin = first_end - subquery.window;
  Steps inner{interval * (begin / interval), interval, 0};
  if (inner.start < begin || (inner.start == begin && !context_.is2())) inner.start += interval;
  if (last_end < inner.start) return inner;
  inner.count = static_cast<std::size_t>((last_end - inner.start) / interval) + 1;
  // Refused before any work: [100y:1s] has billions of steps.
  if (auto status = context_.CheckSize(1, inner.count); !status) return Fail(status.error());
  return inner;
}

QueryResult<Vector> Evaluator::EvalInner(const Subquery& subquery, const Steps& outer,
                                         const Steps& inner) {
  const Scope around = scope_;
  scope_ = around.Within(subquery, outer, inner.start, context_.times());
  auto vector = EvalVector(*subquery.expr, inner);
  scope_ = around;
  return vector;
}

QueryStatus Evaluator::WindowsOfSubquery(const Subquery& subquery, WindowJob& job) {
  const Steps& steps = job.steps;
  const std::int64_t reach = subquery.window - (context_.is2() ? 0 : 1);
  std::vector<Timestamp> ends = WindowEnds(subquery.shift, steps);
  const auto inner_steps = InnerSteps(subquery, ends.front(), ends.back());
  if (!inner_steps) return Fail(inner_steps.error());
  if (inner_steps->count == 0) return {};
  auto inner = EvalInner(subquery, steps, *inner_steps);
  if (!inner) return Fail(inner.error());
  inner->RemoveDroppedNames();
  if (subquery.shift.at != TimeShift::At::kNone) {
    // Wherever it was evaluated, its results are looked for at the time named.
    for (Timestamp& end : ends) end -= scope_.at_drift;
  }

  const auto make = [&](Scratch& scratch, std::size_t i, std::span<double> row) {
    auto& samples = scratch.samples;
    samples.Clear();
    const auto values = std::as_const(*inner).Row(i);
    for (std::size_t step = 0; step < values.size(); ++step) {
      if (IsAbsent(values[step])) continue;
      samples.times.push_back(inner_steps->At(step));
      samples.values.push_back(values[step]);
    }
    const auto [total, largest] = Slide(samples.times, ends, reach, scratch.windows);
    context_.CountRead(total);
    const WindowInput input{samples.times, samples.values,  scratch.windows,
                            ends,          subquery.window, steps,
                            job.scalars,   job.call,        context_};
    job.function(input, row);
    const auto present = static_cast<std::size_t>(std::count_if(row.begin(), row.end(), IsPresent));
    return present > 0 && context_.Charge(present);
  };
  const auto labels = [&](std::size_t i) { return inner->labels[i]; };
  auto rows = MakeRows<Scratch>(context_, inner->rows(), steps.count, labels, make);
  if (!rows) return Fail(rows.error());
  job.out = std::move(*rows);
  return {};
}

QueryResult<Operand> Evaluator::EvalRangeVector(const MatrixSelector& matrix, const Steps& steps) {
  const TimeShift& shift = matrix.selector->shift;
  const std::int64_t reach = matrix.window - (context_.is2() ? 0 : 1);
  const auto stored = scope_.Stored(shift, reach, context_.times());
  const Timestamp window_end = Shifted(shift, steps.start);
  const Timestamp from = std::max(window_end - reach, stored.from);
  const Timestamp end = std::min(window_end, stored.to);
  auto series = Select(matrix.selector->matchers, {from, end});
  if (!series) return Fail(series.error());
  RangeVector out;
  for (const auto& one : *series) {
    if (auto status = context_.Check(); !status) return Fail(status.error());
    Matrix::Series result;
    if (auto status = one->Read(from, end, result.samples); !status) {
      return Fail(QueryError{QueryError::Kind::kInternal, status.error().message()});
    }
    DropStale(result.samples);
    if (result.samples.size() == 0) continue;
    context_.CountRead(result.samples.size());
    if (!context_.Charge(result.samples.size())) return Fail(Context::TooManySamples());
    result.labels = one->labels();
    out.push_back(std::move(result));
  }
  return out;
}

QueryResult<Operand> Evaluator::EvalSubqueryAlone(const Subquery& subquery, const Steps& steps) {
  const Timestamp end = Shifted(subquery.shift, steps.start);
  const auto inner_steps = InnerSteps(subquery, end, end);
  if (!inner_steps) return Fail(inner_steps.error());
  RangeVector out;
  if (inner_steps->count == 0) return out;
  auto inner = EvalInner(subquery, steps, *inner_steps);
  if (!inner) return Fail(inner.error());
  for (std::size_t row = 0; row < inner->rows(); ++row) {
    Matrix::Series series{inner->LabelsOf(row), {}};
    const auto values = inner->Row(row);
    for (std::size_t step = 0; step < values.size(); ++step) {
      if (IsAbsent(values[step])) continue;
      series.samples.times.push_back(inner_steps->At(step));
      series.samples.values.push_back(values[step]);
    }
    if (series.samples.size() > 0) out.push_back(std::move(series));
  }
  return out;
}

}  // namespace vigia::promql
