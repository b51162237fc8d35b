// Functions of time, of scalars, and of one sample with further arguments.

#include <cmath>
#include <numbers>

#include "query/promql/eval/evaluator.h"
#include "query/promql/functions/implementations.h"

namespace vigia::promql {

const std::string& StringArgument(const Call& call, std::size_t i) {
  return static_cast<const StringLiteral&>(Unwrap(*call.args[i])).value;
}

namespace {

ScalarColumn Constant(const Steps& steps, double value) { return ScalarColumn(steps.count, value); }

// Go's math.Max and math.Min: infinities win over NaN, NaN over the rest.
double GoMax(double x, double y) {
  if (x == kInfinity || y == kInfinity) return kInfinity;
  if (std::isnan(x) || std::isnan(y)) return kNaN;
  if (x == 0 && y == 0) return std::signbit(x) ? y : x;
  return x > y ? x : y;
}

double GoMin(double x, double y) {
  if (x == -kInfinity || y == -kInfinity) return -kInfinity;
  if (std::isnan(x) || std::isnan(y)) return kNaN;
  if (x == 0 && y == 0) return std::signbit(x) ? x : y;
  return x < y ? x : y;
}

CallResult Fold(Evaluator& evaluator, const Call& call, const Steps& steps,
                double (*fold)(double, double)) {
  auto left = evaluator.EvalScalar(*call.args[0], steps);
  if (!left) return Fail(left.error());
  auto right = evaluator.EvalScalar(*call.args[1], steps);
  if (!right) return Fail(right.error());
  for (std::size_t i = 0; i < left->size(); ++i) (*left)[i] = fold((*left)[i], (*right)[i]);
  return std::move(*left);
}

// Replaces each sample by f(value, step); an absent result removes it.
template <typename F>
CallResult Transform(QueryResult<Vector> vector, F f) {
  if (!vector) return Fail(vector.error());
  for (std::size_t row = 0; row < vector->rows(); ++row) {
    const auto values = vector->Row(row);
    for (std::size_t step = 0; step < values.size(); ++step) {
      if (IsPresent(values[step])) values[step] = f(values[step], step);
    }
  }
  vector->name_dropped = true;
  if (auto status = MergeEqualRows(*vector); !status) return Fail(status.error());
  return std::move(*vector);
}

CallResult ClampBetween(Evaluator& evaluator, const Call& call, const Steps& steps,
                        const ScalarColumn& low, const ScalarColumn& high) {
  return Transform(evaluator.EvalVector(*call.args[0], steps), [&](double value, std::size_t i) {
    if (high[i] < low[i]) return Absent();
    return GoMax(low[i], GoMin(high[i], value));
  });
}

}  // namespace

CallResult Time(Evaluator&, const Call&, const Steps& steps) {
  ScalarColumn out(steps.count);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<double>(steps.At(i)) / 1000;
  return out;
}

CallResult Pi(Evaluator&, const Call&, const Steps& steps) {
  return Constant(steps, std::numbers::pi);
}

CallResult QueryStart(Evaluator& evaluator, const Call&, const Steps& steps) {
  return Constant(steps, static_cast<double>(evaluator.context().query.start) / 1000);
}

CallResult QueryEnd(Evaluator& evaluator, const Call&, const Steps& steps) {
  return Constant(steps, static_cast<double>(evaluator.context().settings.end) / 1000);
}

CallResult QueryStep(Evaluator& evaluator, const Call&, const Steps& steps) {
  const Steps& query = evaluator.context().query;
  // An instant query has none.
  return Constant(steps,
                  evaluator.context().instant() ? 0 : static_cast<double>(query.interval) / 1000);
}

CallResult QueryRange(Evaluator& evaluator, const Call&, const Steps& steps) {
  const auto& context = evaluator.context();
  return Constant(steps, static_cast<double>(context.settings.end - context.query.start) / 1000);
}

CallResult MinOf(Evaluator& evaluator, const Call& call, const Steps& steps) {
  return Fold(evaluator, call, steps, GoMin);
}

CallResult MaxOf(Evaluator& evaluator, const Call& call, const Steps& steps) {
  return Fold(evaluator, call, steps, GoMax);
}

CallResult ToScalar(Evaluator& evaluator, const Call& call, const Steps& steps) {
  const auto vector = evaluator.EvalVector(*call.args[0], steps);
  if (!vector) return Fail(vector.error());
  ScalarColumn out(steps.count, Absent());
  std::vector<bool> ambiguous(steps.count);
  for (std::size_t row = 0; row < vector->rows(); ++row) {
    const auto values = vector->Row(row);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (IsAbsent(values[i])) continue;
      if (IsPresent(out[i])) ambiguous[i] = true;
      out[i] = values[i];
    }
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (IsAbsent(out[i]) || ambiguous[i]) out[i] = kNaN;
  }
  return out;
}

CallResult ToVector(Evaluator& evaluator, const Call& call, const Steps& steps) {
  auto scalar = evaluator.EvalScalar(*call.args[0], steps);
  if (!scalar) return Fail(scalar.error());
  Vector out(steps.count);
  out.labels.emplace_back();
  out.values = std::move(*scalar);
  return out;
}

CallResult TimestampOf(Evaluator& evaluator, const Call& call, const Steps& steps) {
  const Expr& arg = Unwrap(*call.args[0]);
  if (arg.kind != NodeKind::kVectorSelector) {
    // The samples of anything but a selector are of the evaluation time.
    return Transform(evaluator.EvalVector(*call.args[0], steps), [&](double, std::size_t step) {
      return static_cast<double>(steps.At(step)) / 1000;
    });
  }
  const auto& selector = static_cast<const VectorSelector&>(arg);
  auto vector = evaluator.EvalSelector(selector, steps, true);
  return Transform(std::move(vector), [](double time, std::size_t) { return time; });
}

CallResult Clamp(Evaluator& evaluator, const Call& call, const Steps& steps) {
  const auto low = evaluator.EvalScalar(*call.args[1], steps);
  if (!low) return Fail(low.error());
  const auto high = evaluator.EvalScalar(*call.args[2], steps);
  if (!high) return Fail(high.error());
  return ClampBetween(evaluator, call, steps, *low, *high);
}

CallResult ClampMin(Evaluator& evaluator, const Call& call, const Steps& steps) {
  const auto low = evaluator.EvalScalar(*call.args[1], steps);
  if (!low) return Fail(low.error());
  return ClampBetween(evaluator, call, steps, *low, Constant(steps, kInfinity));
}

CallResult ClampMax(Evaluator& evaluator, const Call& call, const Steps& steps) {
  const auto high = evaluator.EvalScalar(*call.args[1], steps);
  if (!high) return Fail(high.error());
  return ClampBetween(evaluator, call, steps, Constant(steps, -kInfinity), *high);
}

CallResult Round(Evaluator& evaluator, const Call& call, const Steps& steps) {
  ScalarColumn nearest = Constant(steps, 1);
  if (call.args.size() > 1) {
    auto given = evaluator.EvalScalar(*call.args[1], steps);
    if (!given) return Fail(given.error());
    nearest = std::move(*given);
  }
  return Transform(evaluator.EvalVector(*call.args[0], steps), [&](double value, std::size_t i) {
    // Multiplying by the inverse rounds 0.3 to 0.1's multiple more exactly than dividing.
    const double inverse = 1.0 / nearest[i];
    return std::floor(value * inverse + 0.5) / inverse;
  });
}

}  // namespace vigia::promql
