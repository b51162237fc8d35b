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
  RowSink& sink;
  std::vector<ScalarColumn> scalars;
  bool counted = false;  // the samples count as held in memory already
};

namespace {

struct Scratch {
  Columns samples;
  // Of the series before, for those that have samples at the same times.
  std::vector<Timestamp> times;
  std::vector<Window> windows;
  std::size_t in_windows = 0;  // samples in all of them together
  std::size_t largest = 0;     // in one of them
  std::vector<double> memo;
  std::size_t work = 0;
};

void DropStale(Columns& samples) {
  bool stale = false;
  for (const double value : samples.values) stale |= IsStale(value);
  if (!stale) return;
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

// Finds the windows (end - reach - 1, end], which for Prometheus 2 are closed on both sides.
void Slide(std::span<const Timestamp> ends, std::int64_t reach, Scratch& scratch) {
  // Series of one target have their samples at the same times: then so are the windows.
  if (!scratch.windows.empty() && scratch.times == scratch.samples.times) return;
  scratch.times = scratch.samples.times;
  scratch.memo.clear();
  scratch.windows.resize(ends.size());
  scratch.in_windows = scratch.largest = 0;
  const std::span<const Timestamp> times(scratch.times);
  const auto count = static_cast<std::uint32_t>(times.size());
  Window window;
  for (std::size_t step = 0; step < ends.size(); ++step) {
    while (window.end < count && times[window.end] <= ends[step]) ++window.end;
    while (window.begin < window.end && times[window.begin] < ends[step] - reach) ++window.begin;
    scratch.windows[step] = window;
    scratch.in_windows += window.size();
    scratch.largest = std::max<std::size_t>(scratch.largest, window.size());
  }
}

bool EndsLikeCounter(std::string_view name) {
  for (const std::string_view ending : {"_total", "_sum", "_count", "_bucket"}) {
    if (name.ends_with(ending)) return true;
  }
  return false;
}

// rate() and increase() of what does not look like a counter are worth a word.
void InformOfNonCounter(const Call& call, std::string_view name, Context& context) {
  if (context.is2() || (call.function.name != "rate" && call.function.name != "increase")) return;
  if (name.empty() || EndsLikeCounter(name)) return;
  std::string text =
      "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"";
  context.annotations.Inform((text += name) += '"', call.args[0]->range);
}

// Passes rows on, and notes whether there are any.
class NotingSink final : public RowSink {
 public:
  explicit NotingSink(RowSink& sink) : sink_(sink) {}

  void Begin(std::size_t count, LabelsOf labels, bool name_dropped) override {
    sink_.Begin(count, std::move(labels), name_dropped);
  }
  void Take(std::size_t i, std::span<const double> row) override {
    any_ = true;
    sink_.Take(i, row);
  }
  std::size_t cells() const override { return sink_.cells(); }
  bool any() const { return any_; }

 private:
  RowSink& sink_;
  bool any_ = false;
};

// The range vector among the arguments.
const Expr& RangeArgument(const Call& call) {
  const auto is_range = [](const ExprPtr& arg) { return arg->type == ValueType::kMatrix; };
  return Unwrap(**std::find_if(call.args.begin(), call.args.end(), is_range));
}

}  // namespace

const Expr* Evaluator::Streamable(const Expr& expr, const Steps& steps) const {
  const Expr* inner = &expr;
  while (inner->kind == NodeKind::kParen && !inner->evaluate_once) {
    inner = static_cast<const Paren*>(inner)->expr.get();
  }
  if (inner->evaluate_once && steps.count > 1) return nullptr;
  if (context_.shared && FindShared(*inner, steps)) return nullptr;  // others want the rows
  const VectorSelector* selector = nullptr;
  if (inner->kind == NodeKind::kVectorSelector) {
    selector = static_cast<const VectorSelector*>(inner);
  } else if (inner->kind == NodeKind::kCall) {
    const auto& call = static_cast<const Call&>(*inner);
    if (!std::holds_alternative<WindowFunction>(call.function.implementation)) return nullptr;
    const Expr& range = RangeArgument(call);
    if (range.kind != NodeKind::kMatrixSelector) return nullptr;
    selector = static_cast<const MatrixSelector&>(range).selector.get();
  }
  // Series of several metrics might become the same without their names.
  return selector && !OnlyName(*selector).empty() ? inner : nullptr;
}

QueryStatus Evaluator::Stream(const Expr& streamable, const Steps& steps, RowSink& sink) {
  if (streamable.kind == NodeKind::kVectorSelector) {
    return StreamSelector(static_cast<const VectorSelector&>(streamable), steps, false, sink);
  }
  const auto& call = static_cast<const Call&>(streamable);
  NotingSink noting(sink);
  auto status =
      StreamWindows(std::get<WindowFunction>(call.function.implementation), call, steps, noting);
  const auto& matrix = static_cast<const MatrixSelector&>(RangeArgument(call));
  if (status && noting.any()) InformOfNonCounter(call, OnlyName(*matrix.selector), context_);
  return status;
}

QueryResult<Vector> Evaluator::EvalWindows(const Call& call, const Steps& steps) {
  auto out = EvalWindowsWith(std::get<WindowFunction>(call.function.implementation), call, steps);
  if (!out) return out;
  std::string_view last;
  for (const auto& labels : out->labels) {
    const auto name = labels.MetricName();
    if (name != last) InformOfNonCounter(call, name, context_);
    last = name;
  }
  if (!out->name_dropped) return out;
  if (auto unique = MergeEqualRows(*out, true); !unique) return Fail(unique.error());
  return out;
}

QueryResult<Vector> Evaluator::EvalWindowsWith(WindowFunction function, const Call& call,
                                               const Steps& steps) {
  RowCollector rows(steps.count);
  if (auto status = StreamWindows(function, call, steps, rows); !status) {
    return Fail(status.error());
  }
  Vector out = rows.Finish();
  const Expr& range = RangeArgument(call);
  if (range.kind == NodeKind::kMatrixSelector) {
    const auto& matrix = static_cast<const MatrixSelector&>(range);
    out.unique_without_name = !OnlyName(*matrix.selector).empty();
  }
  return out;
}

QueryStatus Evaluator::StreamWindows(WindowFunction function, const Call& call, const Steps& steps,
                                     RowSink& sink) {
  WindowJob job{call, function, steps, sink, {}};
  for (const auto& arg : call.args) {
    if (arg->type == ValueType::kMatrix) continue;
    auto scalar = EvalScalar(*arg, steps);
    if (!scalar) return Fail(scalar.error());
    job.scalars.push_back(std::move(*scalar));
  }
  const Expr& range = RangeArgument(call);
  return range.kind == NodeKind::kSubquery
             ? WindowsOfSubquery(static_cast<const Subquery&>(range), job)
             : WindowsOfSelector(static_cast<const MatrixSelector&>(range), job);
}

// Applies the function to the windows of a series, whose samples are in the scratch.
template <typename Scratch>
bool Evaluator::MakeRow(const WindowJob& job, std::span<const Timestamp> ends, std::int64_t length,
                        Scratch& scratch, std::span<double> row) {
  const auto& [times, values] = scratch.samples;
  Slide(ends, length - (context_.is2() ? 0 : 1), scratch);
  scratch.work += times.size() + row.size() + scratch.in_windows / 4;
  context_.CountRead(scratch.in_windows);
  const WindowInput input{times,     values,      scratch.windows, ends,     length,
                          job.steps, job.scalars, job.call,        context_, scratch.memo};
  job.function(input, row);
  const auto present = static_cast<std::size_t>(std::count_if(row.begin(), row.end(), IsPresent));
  const std::size_t read = job.counted ? 0 : scratch.largest;
  if (!context_.Charge(present + read)) return false;
  context_.Release(read);
  return present > 0;
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
    return MakeRow(job, ends, matrix.window, scratch, row);
  };
  job.sink.Begin(
      series->size(), [&](std::size_t i) -> const Labels& { return (*series)[i]->labels(); },
      !job.call.function.Has(Function::kKeepsName));
  return MakeRows<Scratch>(context_, series->size(), steps.count, job.sink, make);
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
  job.counted = true;
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
    return MakeRow(job, ends, subquery.window, scratch, row);
  };
  job.sink.Begin(
      inner->rows(), [&](std::size_t i) -> const Labels& { return inner->labels[i]; },
      !job.call.function.Has(Function::kKeepsName));
  return MakeRows<Scratch>(context_, inner->rows(), steps.count, job.sink, make);
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
