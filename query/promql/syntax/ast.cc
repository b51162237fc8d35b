#include "query/promql/syntax/ast.h"

#include "query/promql/functions/function.h"

namespace vigia::promql {

std::string_view DocumentedName(ValueType type) {
  switch (type) {
    case ValueType::kNone:
      return "none";
    case ValueType::kScalar:
      return "scalar";
    case ValueType::kVector:
      return "instant vector";
    case ValueType::kMatrix:
      return "range vector";
    case ValueType::kString:
      return "string";
  }
  return {};
}

std::string_view ApiName(ValueType type) {
  switch (type) {
    case ValueType::kVector:
      return "vector";
    case ValueType::kMatrix:
      return "matrix";
    default:
      return DocumentedName(type);
  }
}

Call::Call(const Function& function_, PositionRange range_)
    : Expr(NodeKind::kCall, function_.returns, range_), function(function_) {}

const Expr& Unwrap(const Expr& expr) {
  const Expr* inner = &expr;
  while (inner->kind == NodeKind::kParen) inner = static_cast<const Paren*>(inner)->expr.get();
  return *inner;
}

std::string_view OnlyName(const VectorSelector& selector) {
  for (const auto& matcher : selector.matchers) {
    if (matcher.op == Matcher::Op::kEqual && matcher.name == kMetricName) return matcher.value;
  }
  return {};
}

namespace {

void Collect(const Expr& expr, std::vector<const VectorSelector*>& out) {
  if (expr.kind == NodeKind::kVectorSelector) {
    out.push_back(static_cast<const VectorSelector*>(&expr));
  }
  VisitChildren(expr, [&](const Expr& child) { Collect(child, out); });
}

}  // namespace

std::vector<const VectorSelector*> SelectorsOf(const Expr& expr) {
  std::vector<const VectorSelector*> out;
  Collect(expr, out);
  return out;
}

}  // namespace vigia::promql
