// Type checking, in the order and words of Prometheus' checkAST.

#include <cctype>
#include <string>

#include "core/labels.h"
#include "query/promql/functions/function.h"
#include "query/promql/syntax/parser_impl.h"
#include "query/promql/syntax/quote.h"

namespace vigia::promql {
namespace {

class Checker {
 public:
  explicit Checker(std::string_view query) : query_(query) {}

  void Check(Expr& expr);

  const std::optional<SyntaxError>& error() const { return error_; }

 private:
  void CheckAggregate(Aggregate& aggregate);
  void CheckBinary(Binary& binary);
  void CheckMatching(Binary& binary);
  void CheckCall(Call& call);
  void CheckArgumentCount(const Call& call);
  void CheckInfo(Call& call);
  void CheckSelector(const VectorSelector& selector);

  void Expect(Expr& expr, ValueType wanted, const std::string& context);
  void Error(PositionRange range, std::string message) {
    if (!error_) error_ = SyntaxError{range, std::move(message)};
  }
  // Of the operator between two operands.
  PositionRange OperatorRange(const Binary& binary) const;

  const std::string_view query_;
  std::optional<SyntaxError> error_;
};

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string Named(ValueType type) { return std::string(DocumentedName(type)); }

void Checker::Check(Expr& expr) {
  switch (expr.kind) {
    case NodeKind::kNumber:
    case NodeKind::kString:
      return;
    case NodeKind::kVectorSelector:
      return CheckSelector(static_cast<VectorSelector&>(expr));
    case NodeKind::kMatrixSelector:
      return Check(*static_cast<MatrixSelector&>(expr).selector);
    case NodeKind::kSubquery: {
      auto& subquery = static_cast<Subquery&>(expr);
      Check(*subquery.expr);
      if (subquery.expr->type != ValueType::kVector) {
        Error(expr.range, "subquery is only allowed on instant vector, got " +
                              std::string(ApiName(subquery.expr->type)) + " instead");
      }
      return;
    }
    case NodeKind::kUnary: {
      auto& unary = static_cast<Unary&>(expr);
      Check(*unary.expr);
      const ValueType type = unary.expr->type;
      if (type != ValueType::kScalar && type != ValueType::kVector) {
        Error(expr.range,
              "unary expression only allowed on expressions of type scalar or instant "
              "vector, got \"" +
                  Named(type) + "\"");
      }
      return;
    }
    case NodeKind::kBinary:
      return CheckBinary(static_cast<Binary&>(expr));
    case NodeKind::kParen:
      return Check(*static_cast<Paren&>(expr).expr);
    case NodeKind::kAggregate:
      return CheckAggregate(static_cast<Aggregate&>(expr));
    case NodeKind::kCall:
      return CheckCall(static_cast<Call&>(expr));
  }
}

void Checker::Expect(Expr& expr, ValueType wanted, const std::string& context) {
  Check(expr);
  if (expr.type != wanted) {
    Error(expr.range,
          "expected type " + Named(wanted) + " in " + context + ", got " + Named(expr.type));
  }
}

void Checker::CheckAggregate(Aggregate& aggregate) {
  Expect(*aggregate.expr, ValueType::kVector, "aggregation expression");
  if (!aggregate.parameter) return;
  const bool string = aggregate.op == Token::kCountValues;
  Expect(*aggregate.parameter, string ? ValueType::kString : ValueType::kScalar,
         "aggregation parameter");
}

PositionRange Checker::OperatorRange(const Binary& binary) const {
  PositionRange range{binary.left->range.end, binary.right->range.start};
  while (range.start < range.end && IsSpace(query_[static_cast<std::size_t>(range.start)])) {
    ++range.start;
  }
  while (range.end > range.start && IsSpace(query_[static_cast<std::size_t>(range.end - 1)])) {
    --range.end;
  }
  return range;
}

void Checker::CheckBinary(Binary& binary) {
  Check(*binary.left);
  Check(*binary.right);
  const ValueType left = binary.left->type;
  const ValueType right = binary.right->type;
  if (binary.return_bool && !IsComparison(binary.op)) {
    Error(OperatorRange(binary), "bool modifier can only be used on comparison operators");
  }
  if (IsComparison(binary.op) && !binary.return_bool && left == ValueType::kScalar &&
      right == ValueType::kScalar) {
    Error(OperatorRange(binary), "comparisons between scalars must use BOOL modifier");
  }
  auto& matching = *binary.matching;
  if (IsSetOperator(binary.op) && matching.card == VectorMatching::Card::kOneToOne) {
    matching.card = VectorMatching::Card::kManyToMany;
  }
  for (const auto& label : matching.labels) {
    for (const auto& included : matching.include) {
      if (matching.on && label == included) {
        Error(OperatorRange(binary),
              "label " + Quote(label) + " must not occur in ON and GROUP clause at once");
      }
    }
  }
  for (const Expr* side : {binary.left.get(), binary.right.get()}) {
    if (side->type != ValueType::kScalar && side->type != ValueType::kVector) {
      Error(side->range, "binary expression must contain only scalar and instant vector types");
    }
  }
  CheckMatching(binary);
  if ((left == ValueType::kScalar || right == ValueType::kScalar) && IsSetOperator(binary.op)) {
    Error(binary.range, "set operator " + Quote(Spelling(binary.op)) +
                            " not allowed in binary scalar expression");
  }
}

void Checker::CheckMatching(Binary& binary) {
  const auto& matching = *binary.matching;
  const bool fills = matching.fill_left || matching.fill_right;
  if (binary.left->type != ValueType::kVector || binary.right->type != ValueType::kVector) {
    if (!matching.labels.empty()) {
      Error(binary.range, "vector matching only allowed between instant vectors");
    }
    if (fills) {
      Error(binary.range, "filling in missing series only allowed between instant vectors");
    }
    binary.matching.reset();
  } else if (IsSetOperator(binary.op)) {
    if (matching.card != VectorMatching::Card::kManyToMany) {
      Error(binary.range, "no grouping allowed for " + Quote(Spelling(binary.op)) + " operation");
    }
    if (fills) {
      Error(binary.range, "filling in missing series not allowed for set operators");
    }
  }
}

void Checker::CheckArgumentCount(const Call& call) {
  const auto& function = call.function;
  const std::size_t given = call.args.size();
  const auto tell = [&](std::string_view how, std::size_t count) {
    Error(call.range, "expected " + std::string(how) + std::to_string(count) +
                          " argument(s) in call to " + Quote(function.name) + ", got " +
                          std::to_string(given));
  };
  if (function.variadic == 0) {
    if (given != function.arg_count) tell("", function.arg_count);
    return;
  }
  const std::size_t least = function.arg_count - 1U;
  if (given < least) {
    tell("at least ", least);
  } else if (function.variadic > 0) {
    const std::size_t most = least + static_cast<std::size_t>(function.variadic);
    if (given > most) tell("at most ", most);
  }
}

void Checker::CheckInfo(Call& call) {
  Expr& labels = *call.args[1];
  if (labels.type != ValueType::kVector) {
    Error(call.range,
          "expected type instant vector in call to function \"info\", got " + Named(labels.type));
  }
  if (labels.kind != NodeKind::kVectorSelector) {
    Error(labels.range, "expected label selectors only");
    return;
  }
  auto& selector = static_cast<VectorSelector&>(labels);
  if (!selector.name.empty()) {
    Error(labels.range, "expected label selectors only, got vector selector instead");
  }
  selector.may_select_all = true;
}

void Checker::CheckCall(Call& call) {
  const auto types = call.function.args();
  CheckArgumentCount(call);
  if (call.function.name == "info" && call.args.size() > 1) CheckInfo(call);
  for (std::size_t i = 0; i < call.args.size(); ++i) {
    if (i >= types.size() && call.function.variadic == 0) break;
    Expr& arg = *call.args[i];
    Check(arg);
    const ValueType wanted = types[std::min(i, types.size() - 1)];
    if (arg.type != wanted) {
      Error(arg.range, "expected type " + Named(wanted) + " in call to function " +
                           Quote(call.function.name) + ", got " + Named(arg.type));
    }
  }
}

void Checker::CheckSelector(const VectorSelector& selector) {
  if (!selector.name.empty()) {
    // The last matcher is the name's own.
    for (std::size_t i = 0; i + 1 < selector.matchers.size(); ++i) {
      if (selector.matchers[i].name == kMetricName) {
        Error(selector.range, "metric name must not be set twice: " + Quote(selector.name) +
                                  " or " + Quote(selector.matchers[i].value));
      }
    }
    return;
  }
  if (selector.may_select_all) return;
  for (const bool fits_empty : selector.fits_empty) {
    if (!fits_empty) return;
  }
  Error(selector.range, "vector selector must contain at least one non-empty matcher");
}

struct Invariance {
  bool invariant;
  bool wrap;  // worth marking, which literals and range selectors are not
};

// Prometheus' preprocessExprHelper. That an aggregation's parameter does not count is its rule.
Invariance Mark(Expr& expr) {
  const auto shifted = [](const TimeShift& shift) {
    const bool fixed = shift.at != TimeShift::At::kNone;
    return Invariance{fixed, fixed};
  };
  switch (expr.kind) {
    case NodeKind::kNumber:
    case NodeKind::kString:
      return {true, false};
    case NodeKind::kVectorSelector:
      return shifted(static_cast<VectorSelector&>(expr).shift);
    case NodeKind::kMatrixSelector:
      return {Mark(*static_cast<MatrixSelector&>(expr).selector).invariant, false};
    case NodeKind::kSubquery: {
      auto& subquery = static_cast<Subquery&>(expr);
      subquery.expr->evaluate_once = Mark(*subquery.expr).invariant;
      return shifted(subquery.shift);
    }
    case NodeKind::kUnary:
      return Mark(*static_cast<Unary&>(expr).expr);
    case NodeKind::kParen:
      return Mark(*static_cast<Paren&>(expr).expr);
    case NodeKind::kAggregate:
      return Mark(*static_cast<Aggregate&>(expr).expr);
    case NodeKind::kBinary: {
      auto& binary = static_cast<Binary&>(expr);
      const Invariance left = Mark(*binary.left);
      const Invariance right = Mark(*binary.right);
      if (left.invariant && right.invariant) return {true, true};
      binary.left->evaluate_once = left.wrap;
      binary.right->evaluate_once = right.wrap;
      return {false, false};
    }
    case NodeKind::kCall: {
      auto& call = static_cast<Call&>(expr);
      bool invariant = !call.function.Has(Function::kUsesTime);
      std::vector<bool> wrap;
      for (const auto& arg : call.args) {
        const Invariance marked = Mark(*arg);
        invariant = invariant && marked.invariant;
        wrap.push_back(marked.wrap);
      }
      if (invariant) return {true, true};
      for (std::size_t i = 0; i < wrap.size(); ++i) call.args[i]->evaluate_once = wrap[i];
      return {false, false};
    }
  }
  return {false, false};
}

}  // namespace

std::optional<SyntaxError> CheckTypes(Expr& root, std::string_view query) {
  Checker checker(query);
  checker.Check(root);
  return checker.error();
}

void MarkStepInvariant(Expr& root) { root.evaluate_once = Mark(root).wrap; }

}  // namespace vigia::promql
