// The parser's inside: recursive descent, with operator precedence for binary expressions.
//
// A method that fails has noted the error and returns null (or false); the first error counts.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/promql/syntax/ast.h"
#include "query/promql/syntax/lexer.h"
#include "query/promql/syntax/options.h"

namespace vigia::promql {

struct SyntaxError {
  PositionRange range;
  std::string message;
};

class Parser {
 public:
  Parser(std::string_view query, Semantics semantics);

  ExprPtr ParseQuery();
  // A vector selector and nothing else.
  ExprPtr ParseSelectorOnly();

  const std::optional<SyntaxError>& error() const { return error_; }

 private:
  ExprPtr ParseExpr(int min_precedence);
  ExprPtr ParseUnary();
  ExprPtr ParsePrimary();
  ExprPtr ParseSuffixes(ExprPtr expr);

  ExprPtr ParseParen();
  ExprPtr ParseNumber();
  ExprPtr ParseString();
  ExprPtr ParseAggregate();
  ExprPtr ParseCall();
  ExprPtr ParseVectorSelector();

  ExprPtr FinishAggregate(std::unique_ptr<Aggregate> aggregate, std::vector<ExprPtr> args);

  struct BinaryModifiers {
    bool return_bool = false;
    VectorMatching matching;
  };
  bool ParseBinaryModifiers(BinaryModifiers& out);
  bool ParseFill(VectorMatching& matching);
  bool ParseFillValue(double& value);
  bool ParseGroupingLabels(std::vector<std::string>& labels);
  bool ParseGroupingLabel(std::vector<std::string>& labels);
  bool ParseGroupModifier(Aggregate& aggregate);
  bool ParseArguments(std::vector<ExprPtr>& args);

  bool ParseMatchers(VectorSelector& selector);
  bool ParseMatcher(VectorSelector& selector);
  bool AddMatcher(VectorSelector& selector, Matcher matcher, PositionRange range);

  ExprPtr ParseBrackets(ExprPtr expr);
  ExprPtr FinishRange(ExprPtr expr, std::int64_t window, const Item& left_bracket);
  ExprPtr ParseOffset(ExprPtr expr);
  ExprPtr ParseAt(ExprPtr expr);
  bool SetAt(Expr& expr, TimeShift::At at, double seconds);
  // Where the modifiers of a selector or subquery stand; null (and an error) for others.
  TimeShift* ShiftOf(Expr& expr, std::string_view modifier);

  // A duration such as 5m or (Prometheus 3) 300, in milliseconds.
  std::optional<std::int64_t> ParsePositiveDuration(std::string_view context,
                                                    std::string_view expected);
  std::optional<double> ParseSeconds(std::string_view context, std::string_view expected);
  // The current number or duration in seconds.
  std::optional<double> SecondsHere();
  bool IsDurationHere() const;
  std::optional<std::string> UnquoteHere();
  double NumberValue(std::string_view text);

  bool Is(Token token) const { return item_.token == token; }
  bool IsMetricName(Token token) const;
  const Item& Peek();
  void Take();
  bool Expect(Token token);

  void Error(PositionRange range, std::string message);
  // "unexpected X in CONTEXT, expected Y", of the current token.
  void Unexpected(std::string_view context = {}, std::string_view expected = {});
  // Checks the height and sets it.
  ExprPtr Built(ExprPtr expr);
  // Deeper recursion than this is refused.
  bool Enter();

  const std::string_view query_;
  const Semantics semantics_;
  Lexer lexer_;
  Item item_;
  std::optional<Item> peeked_;
  std::int32_t last_closing_ = 0;  // end of the last token that may end an expression
  int aggregations_open_ = 0;      // decides the context of "unexpected"
  int depth_ = 0;
  std::size_t regexes_ = 0;
  std::optional<SyntaxError> error_;
};

// Checks types as Prometheus does; the first fault, if any. Fills in what depends on types
// (the cardinality of set operators, matching only between vectors).
std::optional<SyntaxError> CheckTypes(Expr& root, std::string_view query);

// Marks what is the same at every step.
void MarkStepInvariant(Expr& root);

}  // namespace vigia::promql
