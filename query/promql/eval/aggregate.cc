#include "query/promql/eval/aggregate.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>

#include "query/promql/eval/evaluator.h"
#include "query/promql/eval/matching.h"
#include "query/promql/format.h"
#include "query/promql/functions/kahan.h"
#include "query/promql/functions/quantile.h"

namespace vigia::promql {

Groups GroupRows(const Vector& vector, const std::vector<std::string>& names, bool without) {
  Groups groups;
  Signatures signatures(names, !without);
  if (names.empty() && !without) {
    groups.of_row.assign(vector.rows(), 0);
    if (vector.rows() > 0) groups.labels.emplace_back();
    return groups;
  }
  groups.of_row = signatures.Of(vector);
  for (std::size_t row = 0; row < vector.rows(); ++row) {
    // Groups are numbered in the order in which they turn up.
    if (groups.of_row[row] == groups.count()) {
      groups.labels.push_back(signatures.LabelsOf(vector, row));
    }
  }
  return groups;
}

namespace {

// A cell of the result, of one group at one step. Each aggregation has a state of its own:
// Begin() takes the first sample, Add() the others, Result() gives what came out.
struct SumState {
  KahanSum sum;
  void Begin(double value) { sum = {value, 0}; }
  void Add(double value) { sum.Add(value); }
  double Result() const { return sum.value(); }
};

struct PlainSumState {
  double sum;
  void Begin(double value) { sum = value; }
  void Add(double value) { sum += value; }
  double Result() const { return sum; }
};

// Divides the sum by the count, or from where the sum would overflow goes on with a running mean.
struct AvgState {
  KahanSum sum;
  double mean;
  double count;
  bool incremental;

  void Begin(double value) {
    sum = {value, 0};
    count = 1;
    incremental = false;
  }
  void Add(double value) {
    ++count;
    if (!incremental) {
      KahanSum next = sum;
      next.Add(value);
      if (!std::isinf(next.sum)) {
        sum = next;
        return;
      }
      incremental = true;
      mean = sum.sum / (count - 1);
      sum.compensation /= count - 1;
    }
    const double q = (count - 1) / count;
    KahanSum step{q * mean, q * sum.compensation};
    step.Add(value / count);
    mean = step.sum;
    sum.compensation = step.compensation;
  }
  double Result() const {
    return incremental ? mean + sum.compensation : sum.sum / count + sum.compensation / count;
  }
};

struct RunningMeanState {
  double mean;
  double count;

  void Begin(double value) {
    mean = value;
    count = 1;
  }
  void Add(double value) {
    ++count;
    if (std::isinf(mean)) {
      if (std::isinf(value) && (mean > 0) == (value > 0)) return;
      if (std::isfinite(value)) return;
    }
    mean += value / count - mean / count;
  }
  double Result() const { return mean; }
};

template <bool kMax>
struct ExtremeState {
  double best;
  void Begin(double value) { best = value; }
  void Add(double value) {
    if ((kMax ? best < value : best > value) || std::isnan(best)) best = value;
  }
  double Result() const { return best; }
};

struct CountState {
  double count;
  void Begin(double) { count = 1; }
  void Add(double) { ++count; }
  double Result() const { return count; }
};

struct GroupState {
  void Begin(double) {}
  void Add(double) {}
  double Result() const { return 1; }
};

// Welford's algorithm.
template <bool kRoot, bool kIs2>
struct VarianceState {
  double mean;
  double squares;
  double count;

  void Begin(double value) {
    mean = value;
    squares = kIs2 || std::isfinite(value) ? 0 : kNaN;
    count = 1;
  }
  void Add(double value) {
    ++count;
    const double delta = value - mean;
    mean += delta / count;
    squares += delta * (value - mean);
  }
  double Result() const { return kRoot ? std::sqrt(squares / count) : squares / count; }
};

template <typename State>
class FoldingOf final : public Folding {
 public:
  FoldingOf(const Aggregate& aggregate, Context& context, std::size_t steps)
      : aggregate_(aggregate), context_(context), out_(steps) {}

  void Begin(std::size_t count, LabelsOf labels, bool name_dropped) override {
    Vector names(0);
    names.labels.reserve(count);
    for (std::size_t i = 0; i < count; ++i) names.labels.push_back(labels(i));
    names.name_dropped = name_dropped;
    groups_ = GroupRows(names, aggregate_.grouping, aggregate_.without);
    if (auto status = context_.CheckSize(groups_.count(), out_.steps); !status) {
      context_.Abort(status.error());
      return;
    }
    states_.resize(groups_.count() * out_.steps);
    // While it is folded, a cell of the result says whether its state has begun.
    out_.values.assign(states_.size(), Absent());
    folded_.assign(groups_.count(), false);
  }

  void Take(std::size_t i, std::span<const double> row) override {
    const std::size_t group = groups_.of_row[i];
    folded_[group] = true;
    State* const states = states_.data() + group * out_.steps;
    double* const begun = out_.values.data() + group * out_.steps;
    for (std::size_t step = 0; step < row.size(); ++step) {
      if (IsAbsent(row[step])) continue;
      if (IsAbsent(begun[step])) {
        states[step].Begin(row[step]);
        begun[step] = 0;
      } else {
        states[step].Add(row[step]);
      }
    }
  }

  std::size_t cells() const override { return 0; }  // as many as Begin() has found to be few enough

  Vector Finish() override {
    for (std::size_t i = 0; i < states_.size(); ++i) {
      if (IsPresent(out_.values[i])) out_.values[i] = states_[i].Result();
    }
    // Of groups whose series turned out to have no sample nothing is left.
    for (std::size_t group = 0; group < folded_.size(); ++group) {
      if (!folded_[group]) continue;
      const auto row = out_.Row(group);
      std::copy(row.begin(), row.end(), out_.values.begin() + Offset(out_.rows()));
      out_.labels.push_back(std::move(groups_.labels[group]));
    }
    out_.values.resize(out_.rows() * out_.steps);
    return std::move(out_);
  }

 private:
  std::ptrdiff_t Offset(std::size_t row) const {
    return static_cast<std::ptrdiff_t>(row * out_.steps);
  }

  const Aggregate& aggregate_;
  Context& context_;
  Groups groups_;
  std::vector<State> states_;
  std::vector<bool> folded_;  // by group
  Vector out_;
};

template <typename State3, typename State2 = State3>
std::unique_ptr<Folding> Make(const Aggregate& aggregate, Context& context, std::size_t steps) {
  if (context.is2()) return std::make_unique<FoldingOf<State2>>(aggregate, context, steps);
  return std::make_unique<FoldingOf<State3>>(aggregate, context, steps);
}

}  // namespace

std::unique_ptr<Folding> MakeFolding(const Aggregate& aggregate, Context& context,
                                     std::size_t steps) {
  switch (aggregate.op) {
    case Token::kSum:
      return Make<SumState, PlainSumState>(aggregate, context, steps);
    case Token::kAvg:
      return Make<AvgState, RunningMeanState>(aggregate, context, steps);
    case Token::kMin:
      return Make<ExtremeState<false>>(aggregate, context, steps);
    case Token::kMax:
      return Make<ExtremeState<true>>(aggregate, context, steps);
    case Token::kCount:
      return Make<CountState>(aggregate, context, steps);
    case Token::kStddev:
      return Make<VarianceState<true, false>, VarianceState<true, true>>(aggregate, context, steps);
    case Token::kStdvar:
      return Make<VarianceState<false, false>, VarianceState<false, true>>(aggregate, context,
                                                                           steps);
    default:
      return Make<GroupState>(aggregate, context, steps);
  }
}

Vector AggregateQuantile(const Vector& vector, const Groups& groups,
                         const ScalarColumn& quantiles) {
  std::vector<std::vector<std::size_t>> members(groups.count());
  for (std::size_t row = 0; row < vector.rows(); ++row) {
    members[groups.of_row[row]].push_back(row);
  }
  Vector out(vector.steps);
  std::vector<double> values;
  for (std::size_t group = 0; group < groups.count(); ++group) {
    const auto result = out.Append(groups.labels[group]);
    for (std::size_t step = 0; step < result.size(); ++step) {
      values.clear();
      for (const std::size_t row : members[group]) {
        if (const double value = vector.Row(row)[step]; IsPresent(value)) values.push_back(value);
      }
      if (!values.empty()) result[step] = Quantile(quantiles[step], values);
    }
  }
  return out;
}

namespace {

void WarnOfQuantiles(const ScalarColumn& quantiles, const Expr& parameter, Context& context) {
  if (context.is2()) return;
  const auto warn = [&](double q) {
    context.annotations.Warn("quantile value should be between 0 and 1, got " + FormatGeneral(q),
                             parameter.range);
  };
  double least = kInfinity;
  double most = -kInfinity;
  bool nan = false;
  for (const double q : quantiles) {
    nan = nan || std::isnan(q);
    least = std::min(least, q);
    most = std::max(most, q);
  }
  if (nan) warn(kNaN);
  if (most > 1) warn(most);
  if (least < 0) warn(least);
}

}  // namespace

// Rows are folded as they are made where nobody else needs them.
QueryResult<Operand> Evaluator::EvalFolding(const Aggregate& aggregate, const Steps& steps) {
  const auto folding = MakeFolding(aggregate, context_, steps.count);
  if (const Expr* const rows = Streamable(*aggregate.expr, steps)) {
    if (auto status = Stream(*rows, steps, *folding); !status) return Fail(status.error());
    return folding->Finish();
  }
  const auto vector = EvalVector(*aggregate.expr, steps);
  if (!vector) return Fail(vector.error());
  folding->Begin(
      vector->rows(), [&](std::size_t i) -> const Labels& { return vector->labels[i]; },
      vector->name_dropped);
  if (auto status = context_.aborted(); !status) return Fail(status.error());
  for (std::size_t row = 0; row < vector->rows(); ++row) folding->Take(row, vector->Row(row));
  return folding->Finish();
}

QueryResult<Operand> Evaluator::EvalAggregate(const Aggregate& aggregate, const Steps& steps) {
  if (!TakesParameter(aggregate.op)) return EvalFolding(aggregate, steps);
  ScalarColumn parameter;
  if (aggregate.parameter && aggregate.op != Token::kCountValues) {
    auto given = EvalScalar(*aggregate.parameter, steps);
    if (!given) return Fail(given.error());
    parameter = std::move(*given);
  }
  auto vector = EvalVector(*aggregate.expr, steps);
  if (!vector) return Fail(vector.error());
  if (aggregate.op == Token::kCountValues) {
    auto counted = AggregateCountValues(aggregate, std::move(*vector), context_);
    if (!counted) return Fail(counted.error());
    return std::move(*counted);
  }
  const Groups groups = GroupRows(*vector, aggregate.grouping, aggregate.without);
  if (aggregate.op == Token::kQuantile) {
    WarnOfQuantiles(parameter, *aggregate.parameter, context_);
    return AggregateQuantile(*vector, groups, parameter);
  }
  auto selected = AggregateSelection(aggregate, std::move(*vector), groups, parameter, context_);
  if (!selected) return Fail(selected.error());
  return std::move(*selected);
}

}  // namespace vigia::promql
