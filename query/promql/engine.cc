#include "query/promql/engine.h"

#include <algorithm>

#include "query/promql/annotations.h"
#include "query/promql/eval/context.h"
#include "query/promql/eval/evaluator.h"

namespace vigia::promql {

// One run of one query.
struct Engine::Evaluation {
  Evaluation(const Engine& engine, const SeriesSource& source, const ParsedQuery& query,
             Steps steps, Timestamp end, bool instant, const QueryOptions& given)
      : annotations(query.text()),
        context(source, SettingsOf(engine.options_, query, end, instant, given), steps,
                LimitsOf(engine.options_, given), annotations) {}

  static Context::Settings SettingsOf(const EngineOptions& options, const ParsedQuery& query,
                                      Timestamp end, bool instant, const QueryOptions& given) {
    Milliseconds lookback = given.lookback.value_or(options.lookback);
    if (lookback <= Milliseconds(0)) lookback = options.lookback;
    return {query.semantics(),
            lookback.count(),
            options.default_subquery_step.count(),
            std::max(1U, options.threads),
            instant,
            end};
  }

  static Limits LimitsOf(const EngineOptions& options, const QueryOptions& given) {
    const Milliseconds timeout = std::min(options.timeout, given.timeout.value_or(options.timeout));
    return {options.max_samples, Deadline::After(*options.clock, timeout), given.stop};
  }

  template <typename T>
  Answer<T> Finish(T value) {
    return {std::move(value),
            annotations.Warnings(),
            annotations.Infos(),
            {context.read(), context.peak()}};
  }

  Annotations annotations;
  Context context;
};

namespace {

InstantVector ToInstantVector(Vector vector, Timestamp time) {
  vector.RemoveDroppedNames();
  InstantVector out;
  out.reserve(vector.rows());
  for (std::size_t row = 0; row < vector.rows(); ++row) {
    const double value = vector.values[row];
    if (IsPresent(value)) out.push_back({std::move(vector.labels[row]), time, value});
  }
  return out;
}

Value ToValue(Operand operand, Timestamp time) {
  if (auto* vector = std::get_if<Vector>(&operand.value)) {
    return ToInstantVector(std::move(*vector), time);
  }
  if (auto* scalar = std::get_if<ScalarColumn>(&operand.value)) {
    return ScalarValue{time, scalar->front()};
  }
  if (auto* text = std::get_if<std::string>(&operand.value)) {
    return StringValue{time, std::move(*text)};
  }
  return Matrix(std::move(std::get<RangeVector>(operand.value)));
}

// Times beyond are as far away as can be: no sample is there, and sums with offsets stay in bounds.
Timestamp Near(Timestamp time) { return std::clamp(time, -kFarthest, kFarthest); }

QueryError BadRange(std::string message) {
  return {QueryError::Kind::kBadData, std::move(message)};
}

}  // namespace

QueryResult<Answer<Value>> Engine::Instant(const SeriesSource& source, const ParsedQuery& query,
                                           Timestamp time, const QueryOptions& options) const {
  time = Near(time);
  const Steps steps{time, 1, 1};
  Evaluation evaluation(*this, source, query, steps, time, true, options);
  if (!evaluation.context.is2()) evaluation.context.shared = options.shared;
  auto operand = Evaluator(evaluation.context).Eval(query.root(), steps);
  if (!operand) return Fail(operand.error());
  return evaluation.Finish(ToValue(std::move(*operand), time));
}

QueryResult<Answer<Value>> Engine::Instant(const SeriesSource& source, std::string_view query,
                                           Timestamp time, const QueryOptions& options) const {
  const auto parsed = Parse(query);
  if (!parsed) return Fail(parsed.error());
  return Instant(source, **parsed, time, options);
}

QueryResult<Answer<Matrix>> Engine::Range(const SeriesSource& source, const ParsedQuery& query,
                                          Timestamp start, Timestamp end, Milliseconds step,
                                          const QueryOptions& options) const {
  const ValueType type = query.root().type;
  if (type != ValueType::kScalar && type != ValueType::kVector) {
    return Fail(BadRange("invalid expression type \"" + std::string(DocumentedName(type)) +
                         "\" for range query, must be Scalar or instant Vector"));
  }
  if (step <= Milliseconds(0)) return Fail(BadRange("step must be positive"));
  if (end < start) return Fail(BadRange("end timestamp must not be before start time"));
  start = Near(start);
  end = Near(end);
  const auto count = static_cast<std::size_t>((end - start) / step.count()) + 1;
  const Steps steps{start, step.count(), count};
  Evaluation evaluation(*this, source, query, steps, end, false, options);
  if (auto status = evaluation.context.CheckSize(1, count); !status) return Fail(status.error());
  auto operand = Evaluator(evaluation.context).Eval(query.root(), steps);
  if (!operand) return Fail(operand.error());
  if (operand->is_vector()) {
    return evaluation.Finish(Matrix(std::move(operand->vector()), steps));
  }
  Vector vector(steps.count);
  vector.labels.emplace_back();
  vector.values = std::move(operand->scalar());
  return evaluation.Finish(Matrix(std::move(vector), steps));
}

QueryResult<Answer<Matrix>> Engine::Range(const SeriesSource& source, std::string_view query,
                                          Timestamp start, Timestamp end, Milliseconds step,
                                          const QueryOptions& options) const {
  const auto parsed = Parse(query);
  if (!parsed) return Fail(parsed.error());
  return Range(source, **parsed, start, end, step, options);
}

}  // namespace vigia::promql
