// The implementations that table.cc lists, by family.

#pragma once

#include <span>

#include "query/promql/eval/operand.h"
#include "query/promql/eval/steps.h"
#include "query/promql/functions/window.h"
#include "query/promql/syntax/ast.h"

namespace vigia::promql {

class Evaluator;

// rate.cc
void Rate(const WindowInput& in, std::span<double> out);
void Increase(const WindowInput& in, std::span<double> out);
void Delta(const WindowInput& in, std::span<double> out);
void InstantRate(const WindowInput& in, std::span<double> out);
void InstantDelta(const WindowInput& in, std::span<double> out);
void Resets(const WindowInput& in, std::span<double> out);
void Changes(const WindowInput& in, std::span<double> out);

// over_time.cc
void SumOverTime(const WindowInput& in, std::span<double> out);
void AvgOverTime(const WindowInput& in, std::span<double> out);
void MinOverTime(const WindowInput& in, std::span<double> out);
void MaxOverTime(const WindowInput& in, std::span<double> out);
void TimeOfMinOverTime(const WindowInput& in, std::span<double> out);
void TimeOfMaxOverTime(const WindowInput& in, std::span<double> out);
void CountOverTime(const WindowInput& in, std::span<double> out);
void PresentOverTime(const WindowInput& in, std::span<double> out);
void FirstOverTime(const WindowInput& in, std::span<double> out);
void LastOverTime(const WindowInput& in, std::span<double> out);
void TimeOfFirstOverTime(const WindowInput& in, std::span<double> out);
void TimeOfLastOverTime(const WindowInput& in, std::span<double> out);
void StddevOverTime(const WindowInput& in, std::span<double> out);
void StdvarOverTime(const WindowInput& in, std::span<double> out);
void QuantileOverTime(const WindowInput& in, std::span<double> out);
void MadOverTime(const WindowInput& in, std::span<double> out);

// trend.cc
void Derivative(const WindowInput& in, std::span<double> out);
void PredictLinear(const WindowInput& in, std::span<double> out);
void DoubleExponentialSmoothing(const WindowInput& in, std::span<double> out);

using CallResult = QueryResult<Operand>;

// absent.cc
CallResult AbsentVector(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult AbsentOverTime(Evaluator& evaluator, const Call& call, const Steps& steps);

// simple.cc
CallResult Time(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult Pi(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult QueryStart(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult QueryEnd(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult QueryStep(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult QueryRange(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult MinOf(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult MaxOf(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult ToScalar(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult ToVector(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult TimestampOf(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult Clamp(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult ClampMin(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult ClampMax(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult Round(Evaluator& evaluator, const Call& call, const Steps& steps);

// math.cc: where Go's results differ from the C library's in the last bits, which subtractions
// may bring to the front, they are computed as Go does.
double Exponential(double x);
double HyperbolicSine(double x);
double HyperbolicCosine(double x);
double ArcTangent(double x);
double ArcTangent2(double y, double x);
double ArcSine(double x);
double ArcCosine(double x);
double Log2(double value);
double Log10(double value);
// ln() and log10() of Prometheus 2.
double NaturalLog2(double value);
double DecimalLog2(double value);
double Sign(double value);
double Degrees(double radians);
double Radians(double degrees);

// date.cc
CallResult Minute(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult Hour(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult DayOfWeek(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult DayOfMonth(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult DayOfYear(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult DaysInMonth(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult Month(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult Year(Evaluator& evaluator, const Call& call, const Steps& steps);

// labels.cc
CallResult LabelReplace(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult LabelJoin(Evaluator& evaluator, const Call& call, const Steps& steps);

// sort.cc
CallResult Sort(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult SortDescending(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult SortByLabel(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult SortByLabelDescending(Evaluator& evaluator, const Call& call, const Steps& steps);

// histogram.cc
CallResult HistogramQuantile(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult HistogramQuantiles(Evaluator& evaluator, const Call& call, const Steps& steps);
CallResult HistogramFraction(Evaluator& evaluator, const Call& call, const Steps& steps);
// Of what only native histograms have.
CallResult NothingWithoutNative(Evaluator& evaluator, const Call& call, const Steps& steps);

// info.cc
CallResult Info(Evaluator& evaluator, const Call& call, const Steps& steps);

// The literal that an argument is, parentheses or not.
const std::string& StringArgument(const Call& call, std::size_t i);

}  // namespace vigia::promql
