// Every function: name, arguments, what it returns, and its implementation.

#include <cmath>
#include <unordered_map>

#include "query/promql/functions/function.h"
#include "query/promql/functions/implementations.h"

namespace vigia::promql {
namespace {

constexpr auto S = ValueType::kScalar;
constexpr auto V = ValueType::kVector;
constexpr auto M = ValueType::kMatrix;
constexpr auto T = ValueType::kString;  // text

using F = Function;
constexpr std::uint8_t kNew = F::kExperimental | F::kOnly3;

// A row; `variadic` and `flags` mostly stay 0.
template <typename Implementation, std::size_t N>
constexpr Function Row(std::string_view name, const ValueType (&args)[N], ValueType returns,
                       Implementation implementation, int flags = 0, int variadic = 0) {
  Function row{name,
               {},
               static_cast<std::uint8_t>(N),
               static_cast<std::int8_t>(variadic),
               returns,
               static_cast<std::uint8_t>(flags),
               implementation};
  for (std::size_t i = 0; i < N; ++i) row.arg_types[i] = args[i];
  return row;
}

template <typename Implementation>
constexpr Function Row(std::string_view name, ValueType returns, Implementation implementation,
                       int flags = 0) {
  return {name, {}, 0, 0, returns, static_cast<std::uint8_t>(flags), implementation};
}

#define MATH(name, function, ...)                             \
  Row(name, {V}, V, MathFunction([](double value) -> double { \
        return function(value);                               \
      }) __VA_OPT__(, ) __VA_ARGS__)
#define WINDOW(name, function, ...) \
  Row(name, {M}, V, WindowFunction(function) __VA_OPT__(, ) __VA_ARGS__)
#define DATE(name, function) Row(name, {V}, V, SpecialFunction(function), F::kUsesTime, 1)

const Function kFunctions[] = {
    MATH("abs", std::fabs),
    MATH("ceil", std::ceil),
    MATH("floor", std::floor),
    MATH("exp", Exponential),
    MATH("sqrt", std::sqrt),
    MATH("ln", std::log, F::kOnly3),
    MATH("ln", NaturalLog2, F::kOnly2),
    MATH("log2", Log2),
    MATH("log10", Log10, F::kOnly3),
    MATH("log10", DecimalLog2, F::kOnly2),
    MATH("sgn", Sign),
    MATH("sin", std::sin),
    MATH("cos", std::cos),
    MATH("tan", std::tan),
    MATH("asin", ArcSine),
    MATH("acos", ArcCosine),
    MATH("atan", ArcTangent),
    MATH("sinh", HyperbolicSine),
    MATH("cosh", HyperbolicCosine),
    MATH("tanh", std::tanh),
    MATH("asinh", std::asinh),
    MATH("acosh", std::acosh),
    MATH("atanh", std::atanh),
    MATH("deg", Degrees),
    MATH("rad", Radians),

    WINDOW("rate", Rate),
    WINDOW("increase", Increase),
    WINDOW("delta", Delta),
    WINDOW("irate", InstantRate),
    WINDOW("idelta", InstantDelta),
    WINDOW("resets", Resets),
    WINDOW("changes", Changes),
    WINDOW("deriv", Derivative),
    WINDOW("sum_over_time", SumOverTime),
    WINDOW("avg_over_time", AvgOverTime),
    WINDOW("min_over_time", MinOverTime),
    WINDOW("max_over_time", MaxOverTime),
    WINDOW("count_over_time", CountOverTime),
    WINDOW("present_over_time", PresentOverTime),
    WINDOW("stddev_over_time", StddevOverTime),
    WINDOW("stdvar_over_time", StdvarOverTime),
    WINDOW("last_over_time", LastOverTime, F::kKeepsName),
    WINDOW("first_over_time", FirstOverTime, kNew | F::kKeepsName),
    WINDOW("mad_over_time", MadOverTime, kNew),
    WINDOW("ts_of_min_over_time", TimeOfMinOverTime, kNew),
    WINDOW("ts_of_max_over_time", TimeOfMaxOverTime, kNew),
    WINDOW("ts_of_first_over_time", TimeOfFirstOverTime, kNew),
    WINDOW("ts_of_last_over_time", TimeOfLastOverTime, kNew),
    Row("quantile_over_time", {S, M}, V, WindowFunction(QuantileOverTime)),
    Row("predict_linear", {M, S}, V, WindowFunction(PredictLinear), F::kUsesTime),
    Row("double_exponential_smoothing", {M, S, S}, V, WindowFunction(DoubleExponentialSmoothing),
        kNew),
    Row("holt_winters", {M, S, S}, V, WindowFunction(DoubleExponentialSmoothing), F::kOnly2),

    Row("absent", {V}, V, SpecialFunction(AbsentVector)),
    Row("absent_over_time", {M}, V, SpecialFunction(AbsentOverTime)),

    Row("time", S, SpecialFunction(Time), F::kUsesTime),
    Row("pi", S, SpecialFunction(Pi)),
    Row("start", S, SpecialFunction(QueryStart), kNew),
    Row("end", S, SpecialFunction(QueryEnd), kNew),
    Row("step", S, SpecialFunction(QueryStep), kNew),
    Row("range", S, SpecialFunction(QueryRange), kNew),
    Row("min_of", {S, S}, S, SpecialFunction(MinOf), kNew),
    Row("max_of", {S, S}, S, SpecialFunction(MaxOf), kNew),
    Row("scalar", {V}, S, SpecialFunction(ToScalar)),
    Row("vector", {S}, V, SpecialFunction(ToVector)),
    Row("timestamp", {V}, V, SpecialFunction(TimestampOf), F::kUsesTime),
    Row("clamp", {V, S, S}, V, SpecialFunction(Clamp)),
    Row("clamp_min", {V, S}, V, SpecialFunction(ClampMin)),
    Row("clamp_max", {V, S}, V, SpecialFunction(ClampMax)),
    Row("round", {V, S}, V, SpecialFunction(Round), F::kNone, 1),

    DATE("minute", Minute),
    DATE("hour", Hour),
    DATE("day_of_week", DayOfWeek),
    DATE("day_of_month", DayOfMonth),
    DATE("day_of_year", DayOfYear),
    DATE("days_in_month", DaysInMonth),
    DATE("month", Month),
    DATE("year", Year),

    Row("label_replace", {V, T, T, T, T}, V, SpecialFunction(LabelReplace)),
    Row("label_join", {V, T, T, T}, V, SpecialFunction(LabelJoin), F::kNone, -1),
    Row("sort", {V}, V, SpecialFunction(Sort)),
    Row("sort_desc", {V}, V, SpecialFunction(SortDescending)),
    Row("sort_by_label", {V, T}, V, SpecialFunction(SortByLabel), kNew, -1),
    Row("sort_by_label_desc", {V, T}, V, SpecialFunction(SortByLabelDescending), kNew, -1),
    Row("info", {V, V}, V, SpecialFunction(Info), kNew, 1),

    Row("histogram_quantile", {S, V}, V, SpecialFunction(HistogramQuantile)),
    Row("histogram_quantiles", {V, T, S, S}, V, SpecialFunction(HistogramQuantiles), kNew, 9),
    Row("histogram_fraction", {S, S, V}, V, SpecialFunction(HistogramFraction)),
    Row("histogram_count", {V}, V, SpecialFunction(NothingWithoutNative)),
    Row("histogram_sum", {V}, V, SpecialFunction(NothingWithoutNative)),
    Row("histogram_avg", {V}, V, SpecialFunction(NothingWithoutNative), F::kOnly3),
    Row("histogram_stddev", {V}, V, SpecialFunction(NothingWithoutNative), F::kOnly3),
    Row("histogram_stdvar", {V}, V, SpecialFunction(NothingWithoutNative), F::kOnly3),
};

#undef MATH
#undef WINDOW
#undef DATE

}  // namespace

std::span<const Function> Functions() { return kFunctions; }

const Function* FindFunction(std::string_view name, Semantics semantics) {
  using Index = std::unordered_map<std::string_view, const Function*>;
  const auto make = [](Function::Flags missing) {
    auto* index = new Index;
    for (const auto& function : kFunctions) {
      if (!function.Has(missing)) index->emplace(function.name, &function);
    }
    return index;
  };
  static const Index& of3 = *make(F::kOnly2);
  static const Index& of2 = *make(F::kOnly3);
  const Index& index = semantics == Semantics::kPrometheus3 ? of3 : of2;
  const auto at = index.find(name);
  return at == index.end() ? nullptr : at->second;
}

}  // namespace vigia::promql
