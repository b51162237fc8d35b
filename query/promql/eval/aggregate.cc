#include "query/promql/eval/aggregate.h"

#include <algorithm>
#include <cmath>

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
Vector Fold(const Vector& vector, const Groups& groups) {
  const std::size_t steps = vector.steps;
  std::vector<State> states(groups.count() * steps);
  Vector out(steps);
  out.labels = groups.labels;
  // While it is folded, a cell of the result says whether its state has begun.
  out.values.assign(groups.count() * steps, Absent());
  for (std::size_t row = 0; row < vector.rows(); ++row) {
    const auto values = vector.Row(row);
    State* const state = states.data() + groups.of_row[row] * steps;
    double* const begun = out.values.data() + groups.of_row[row] * steps;
    for (std::size_t i = 0; i < steps; ++i) {
      if (IsAbsent(values[i])) continue;
      if (IsAbsent(begun[i])) {
        state[i].Begin(values[i]);
        begun[i] = 0;
      } else {
        state[i].Add(values[i]);
      }
    }
  }
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (IsPresent(out.values[i])) out.values[i] = states[i].Result();
  }
  return out;
}

}  // namespace

Vector AggregateColumns(const Aggregate& aggregate, const Vector& vector, const Groups& groups,
                        bool is2) {
  switch (aggregate.op) {
    case Token::kSum:
      return is2 ? Fold<PlainSumState>(vector, groups) : Fold<SumState>(vector, groups);
    case Token::kAvg:
      return is2 ? Fold<RunningMeanState>(vector, groups) : Fold<AvgState>(vector, groups);
    case Token::kMin:
      return Fold<ExtremeState<false>>(vector, groups);
    case Token::kMax:
      return Fold<ExtremeState<true>>(vector, groups);
    case Token::kCount:
      return Fold<CountState>(vector, groups);
    case Token::kStddev:
      return is2 ? Fold<VarianceState<true, true>>(vector, groups)
                 : Fold<VarianceState<true, false>>(vector, groups);
    case Token::kStdvar:
      return is2 ? Fold<VarianceState<false, true>>(vector, groups)
                 : Fold<VarianceState<false, false>>(vector, groups);
    default:
      return Fold<GroupState>(vector, groups);
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

QueryResult<Operand> Evaluator::EvalAggregate(const Aggregate& aggregate, const Steps& steps) {
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
  if (!TakesParameter(aggregate.op)) {
    return AggregateColumns(aggregate, *vector, groups, context_.is2());
  }
  auto selected = AggregateSelection(aggregate, std::move(*vector), groups, parameter, context_);
  if (!selected) return Fail(selected.error());
  return std::move(*selected);
}

}  // namespace vigia::promql
