// Evaluates a syntax tree, one method per kind of node, each for all steps at once.

#pragma once

#include <memory>
#include <span>
#include <vector>

#include "query/promql/error.h"
#include "query/promql/eval/context.h"
#include "query/promql/eval/operand.h"
#include "query/promql/eval/rows.h"
#include "query/promql/eval/scope.h"
#include "query/promql/eval/steps.h"
#include "query/promql/functions/function.h"
#include "query/promql/shared.h"
#include "query/promql/syntax/ast.h"

namespace vigia::promql {

using SeriesList = std::vector<std::shared_ptr<const StoredSeries>>;

class Evaluator {
 public:
  explicit Evaluator(Context& context) : context_(context) {}

  Context& context() { return context_; }

  QueryResult<Operand> Eval(const Expr& expr, const Steps& steps);
  // For expressions that the parser has found to be of that type.
  QueryResult<Vector> EvalVector(const Expr& expr, const Steps& steps);
  QueryResult<ScalarColumn> EvalScalar(const Expr& expr, const Steps& steps);

  // The series of a selector that may have samples in the range.
  QueryResult<SeriesList> Select(std::span<const Matcher> matchers, TimeRange range);
  // With `timestamps`, each sample's time in seconds in the place of its value.
  QueryResult<Vector> EvalSelector(const VectorSelector& selector, const Steps& steps,
                                   bool timestamps);
  // The newest sample within the look-back at each of `times`, of those in `stored`.
  QueryResult<Vector> SampleSeries(const SeriesList& series, std::span<const Timestamp> times,
                                   TimeRange stored, bool timestamps);
  QueryStatus SampleSeries(const SeriesList& series, std::span<const Timestamp> times,
                           TimeRange stored, bool timestamps, RowSink& sink);

  // A function of windows; labels keep their names if the function says so.
  QueryResult<Vector> EvalWindows(const Call& call, const Steps& steps);
  // The same with another function than the call's.
  QueryResult<Vector> EvalWindowsWith(WindowFunction function, const Call& call,
                                      const Steps& steps);

 private:
  QueryResult<Operand> Dispatch(const Expr& expr, const Steps& steps);
  Shared::Slot* FindShared(const Expr& expr, const Steps& steps) const;
  QueryResult<Operand> EvalShared(Shared::Slot& slot, const Expr& expr, const Steps& steps);
  QueryResult<Operand> EvalOnce(const Expr& expr, const Steps& steps);
  QueryResult<Operand> EvalUnary(const Unary& unary, const Steps& steps);
  QueryResult<Operand> EvalCall(const Call& call, const Steps& steps);
  QueryResult<Operand> EvalMath(const Call& call, const Steps& steps);
  QueryResult<Operand> EvalBinary(const Binary& binary, const Steps& steps);
  QueryResult<Operand> EvalAggregate(const Aggregate& aggregate, const Steps& steps);
  QueryResult<Operand> EvalFolding(const Aggregate& aggregate, const Steps& steps);
  QueryResult<Operand> EvalRangeVector(const MatrixSelector& matrix, const Steps& steps);
  QueryResult<Operand> EvalSubqueryAlone(const Subquery& subquery, const Steps& steps);

  // Expressions whose rows need not be kept: selectors of one metric, and functions of their
  // windows. Null for others; else what is within the parentheses.
  const Expr* Streamable(const Expr& expr, const Steps& steps) const;
  QueryStatus Stream(const Expr& streamable, const Steps& steps, RowSink& sink);
  QueryStatus StreamSelector(const VectorSelector& selector, const Steps& steps, bool timestamps,
                             RowSink& sink);
  QueryStatus StreamWindows(WindowFunction function, const Call& call, const Steps& steps,
                            RowSink& sink);

  struct WindowJob;
  std::int64_t Reach() const;
  // The end of a window, or the time of an instant, that a modified selector has at a step.
  Timestamp Shifted(const TimeShift& shift, Timestamp time) const;
  QueryStatus WindowsOfSelector(const MatrixSelector& matrix, WindowJob& job);
  template <typename Scratch>
  bool MakeRow(const WindowJob& job, std::span<const Timestamp> ends, std::int64_t length,
               Scratch& scratch, std::span<double> row);
  QueryStatus WindowsOfSubquery(const Subquery& subquery, WindowJob& job);
  std::vector<Timestamp> WindowEnds(const TimeShift& shift, const Steps& steps) const;
  QueryResult<Steps> InnerSteps(const Subquery& subquery, Timestamp first_end, Timestamp last_end);
  // What is in the subquery, which itself is evaluated at `outer`.
  QueryResult<Vector> EvalInner(const Subquery& subquery, const Steps& outer, const Steps& inner);

  Context& context_;
  Scope scope_;
};

}  // namespace vigia::promql
