// The syntax tree of a query.
//
// Immutable once parsed, so one tree may be evaluated by many threads at many times.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/duration.h"
#include "core/sample.h"
#include "core/series.h"
#include "query/promql/syntax/position.h"
#include "query/promql/syntax/token.h"

namespace vigia::promql {

struct Function;  // functions/function.h

enum class ValueType : std::uint8_t { kNone, kScalar, kVector, kMatrix, kString };

// As the documentation calls it: "instant vector".
std::string_view DocumentedName(ValueType type);
// As the API calls it: "vector".
std::string_view ApiName(ValueType type);

enum class NodeKind : std::uint8_t {
  kNumber,
  kString,
  kVectorSelector,
  kMatrixSelector,
  kSubquery,
  kUnary,
  kBinary,
  kParen,
  kAggregate,
  kCall,
};

struct Expr {
  Expr(NodeKind kind_, ValueType type_, PositionRange range_)
      : kind(kind_), type(type_), range(range_) {}
  virtual ~Expr() = default;
  Expr(const Expr&) = delete;
  Expr& operator=(const Expr&) = delete;

  const NodeKind kind;
  ValueType type;
  // Levels of nodes from here down; the parser bounds it, so recursion is safe.
  int height = 1;
  // The same at every step (because of @), and worth evaluating once only.
  bool evaluate_once = false;
  PositionRange range;
};
using ExprPtr = std::unique_ptr<Expr>;

struct NumberLiteral : Expr {
  NumberLiteral(double value_, bool duration_, PositionRange range_)
      : Expr(NodeKind::kNumber, ValueType::kScalar, range_), value(value_), duration(duration_) {}

  double value;
  bool duration;  // was written as "5m"
};

struct StringLiteral : Expr {
  StringLiteral(std::string value_, PositionRange range_)
      : Expr(NodeKind::kString, ValueType::kString, range_), value(std::move(value_)) {}

  std::string value;
};

// "offset 5m" and "@ 1234" behind a selector or subquery.
struct TimeShift {
  enum class At : std::uint8_t { kNone, kTime, kStart, kEnd };

  std::int64_t offset = 0;  // milliseconds, may be negative
  At at = At::kNone;
  Timestamp time = 0;  // for kTime
};

struct VectorSelector : Expr {
  VectorSelector(std::string name_, PositionRange range_)
      : Expr(NodeKind::kVectorSelector, ValueType::kVector, range_), name(std::move(name_)) {}

  // What stood before the braces; empty if nothing. Then it is the last matcher, too.
  std::string name;
  std::vector<Matcher> matchers;
  // Per matcher: whether it fits a missing label.
  std::vector<bool> fits_empty;
  TimeShift shift;
  bool may_select_all = false;  // the label selector in info(v, {...})
};

struct MatrixSelector : Expr {
  MatrixSelector(std::unique_ptr<VectorSelector> selector_, std::int64_t window_,
                 PositionRange range_)
      : Expr(NodeKind::kMatrixSelector, ValueType::kMatrix, range_),
        selector(std::move(selector_)),
        window(window_) {}

  std::unique_ptr<VectorSelector> selector;
  std::int64_t window;  // milliseconds, above 0
};

struct Subquery : Expr {
  Subquery(ExprPtr expr_, std::int64_t window_, std::int64_t step_, PositionRange range_)
      : Expr(NodeKind::kSubquery, ValueType::kMatrix, range_),
        expr(std::move(expr_)),
        window(window_),
        step(step_) {}

  ExprPtr expr;
  std::int64_t window;
  std::int64_t step;  // 0 for the engine's default
  TimeShift shift;
};

struct Unary : Expr {
  Unary(Token op_, ExprPtr expr_, PositionRange range_)
      : Expr(NodeKind::kUnary, expr_->type, range_), op(op_), expr(std::move(expr_)) {}

  Token op;
  ExprPtr expr;
};

struct VectorMatching {
  enum class Card : std::uint8_t { kOneToOne, kManyToOne, kOneToMany, kManyToMany };

  Card card = Card::kOneToOne;
  bool on = false;
  std::vector<std::string> labels;
  std::vector<std::string> include;  // of group_left(...)
  std::optional<double> fill_left;
  std::optional<double> fill_right;
};

struct Binary : Expr {
  Binary(Token op_, ExprPtr left_, ExprPtr right_, PositionRange range_)
      : Expr(NodeKind::kBinary, ValueType::kVector, range_),
        op(op_),
        left(std::move(left_)),
        right(std::move(right_)) {
    if (left->type == ValueType::kScalar && right->type == ValueType::kScalar) {
      type = ValueType::kScalar;
    }
  }

  Token op;
  bool return_bool = false;
  ExprPtr left;
  ExprPtr right;
  // Only between two vectors.
  std::optional<VectorMatching> matching;
};

struct Paren : Expr {
  Paren(ExprPtr expr_, PositionRange range_)
      : Expr(NodeKind::kParen, expr_->type, range_), expr(std::move(expr_)) {}

  ExprPtr expr;
};

struct Aggregate : Expr {
  Aggregate(Token op_, PositionRange range_)
      : Expr(NodeKind::kAggregate, ValueType::kVector, range_), op(op_) {}

  Token op;
  ExprPtr expr;
  ExprPtr parameter;  // of topk, quantile, ...; else null
  bool without = false;
  std::vector<std::string> grouping;
};

struct Call : Expr {
  Call(const Function& function_, PositionRange range_);

  const Function& function;
  std::vector<ExprPtr> args;
};

// Calls `visit(const Expr&)` for each child, in the order of Prometheus' Children().
template <typename Visit>
void VisitChildren(const Expr& expr, Visit&& visit);

// The expression without the parentheses around it.
const Expr& Unwrap(const Expr& expr);

// The metric name that all series of the selector have; empty if they may have several.
std::string_view OnlyName(const VectorSelector& selector);

// All vector selectors below `expr`, itself included.
std::vector<const VectorSelector*> SelectorsOf(const Expr& expr);

template <typename Visit>
void VisitChildren(const Expr& expr, Visit&& visit) {
  switch (expr.kind) {
    case NodeKind::kNumber:
    case NodeKind::kString:
    case NodeKind::kVectorSelector:
      return;
    case NodeKind::kMatrixSelector:
      return visit(*static_cast<const MatrixSelector&>(expr).selector);
    case NodeKind::kSubquery:
      return visit(*static_cast<const Subquery&>(expr).expr);
    case NodeKind::kUnary:
      return visit(*static_cast<const Unary&>(expr).expr);
    case NodeKind::kBinary: {
      const auto& binary = static_cast<const Binary&>(expr);
      visit(*binary.left);
      return visit(*binary.right);
    }
    case NodeKind::kParen:
      return visit(*static_cast<const Paren&>(expr).expr);
    case NodeKind::kAggregate: {
      const auto& aggregate = static_cast<const Aggregate&>(expr);
      visit(*aggregate.expr);
      if (aggregate.parameter) visit(*aggregate.parameter);
      return;
    }
    case NodeKind::kCall:
      for (const auto& arg : static_cast<const Call&>(expr).args) visit(*arg);
      return;
  }
}

}  // namespace vigia::promql
