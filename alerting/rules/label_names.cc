#include "alerting/rules/label_names.h"

#include "query/promql/functions/function.h"

namespace vigia::alerting::rules {
namespace {

using promql::NodeKind;

LabelNames Only(std::set<std::string, std::less<>> names) { return {false, std::move(names)}; }

void Add(LabelNames& labels, const std::string& name) {
  if (labels.open) {
    labels.names.erase(name);
  } else {
    labels.names.insert(name);
  }
}

void Remove(LabelNames& labels, const std::string& name) {
  if (labels.open) {
    labels.names.insert(name);
  } else {
    labels.names.erase(name);
  }
}

LabelNames Either(const LabelNames& a, const LabelNames& b) {
  LabelNames out;
  if (!a.open && !b.open) {
    out = a;
    out.names.insert(b.names.begin(), b.names.end());
    return out;
  }
  // What neither can have.
  const LabelNames& open = a.open ? a : b;
  const LabelNames& other = a.open ? b : a;
  for (const auto& name : open.names) {
    if (!other.CanHave(name)) out.names.insert(name);
  }
  return out;
}

LabelNames OfAggregate(const promql::Aggregate& aggregate) {
  using promql::Token;
  LabelNames labels = LabelNamesOf(*aggregate.expr);
  switch (aggregate.op) {
    case Token::kTopk:
    case Token::kBottomk:
    case Token::kLimitk:
    case Token::kLimitRatio:
      return labels;
    default:
      break;
  }
  LabelNames out;
  if (aggregate.without) {
    out = labels;
    for (const auto& name : aggregate.grouping) Remove(out, name);
  } else {
    out = Only({});
    for (const auto& name : aggregate.grouping) {
      if (labels.CanHave(name)) Add(out, name);
    }
  }
  if (aggregate.op == Token::kCountValues && aggregate.parameter) {
    const auto& parameter = promql::Unwrap(*aggregate.parameter);
    if (parameter.kind == NodeKind::kString) {
      Add(out, static_cast<const promql::StringLiteral&>(parameter).value);
    }
  }
  return out;
}

LabelNames OfBinary(const promql::Binary& binary) {
  using promql::Token;
  using Card = promql::VectorMatching::Card;
  if (!binary.matching) {
    const bool left = binary.left->type != promql::ValueType::kScalar;
    return LabelNamesOf(left ? *binary.left : *binary.right);
  }
  const auto& matching = *binary.matching;
  const LabelNames left = LabelNamesOf(*binary.left);
  if (binary.op == Token::kOr) return Either(left, LabelNamesOf(*binary.right));
  if (binary.op == Token::kAnd || binary.op == Token::kUnless) return left;
  if (matching.card == Card::kManyToOne || matching.card == Card::kOneToMany) {
    LabelNames out = matching.card == Card::kManyToOne ? left : LabelNamesOf(*binary.right);
    for (const auto& name : matching.include) Add(out, name);
    return out;
  }
  // A comparison keeps the left side's labels but for those that are not matched.
  if (matching.on) {
    LabelNames out = Only({});
    for (const auto& name : matching.labels) {
      if (left.CanHave(name)) Add(out, name);
    }
    return out;
  }
  LabelNames out = left;
  for (const auto& name : matching.labels) Remove(out, name);
  return out;
}

LabelNames OfAbsent(const promql::Expr& argument) {
  LabelNames out = Only({});
  const auto selectors = promql::SelectorsOf(argument);
  if (selectors.size() != 1) return out;
  for (const auto& matcher : selectors[0]->matchers) {
    if (matcher.op == Matcher::Op::kEqual && matcher.name != kMetricName) Add(out, matcher.name);
  }
  return out;
}

LabelNames OfCall(const promql::Call& call) {
  const auto name = call.function.name;
  if (name == "absent" || name == "absent_over_time") return OfAbsent(*call.args[0]);
  if (name == "vector" || name == "time" || name == "pi" || call.args.empty()) return Only({});
  if (name == "histogram_quantile" && call.args.size() > 1) {
    LabelNames out = LabelNamesOf(*call.args[1]);
    Remove(out, "le");
    return out;
  }
  // Of the first argument that is no number.
  LabelNames out = Only({});
  for (const auto& arg : call.args) {
    if (arg->type == promql::ValueType::kVector || arg->type == promql::ValueType::kMatrix) {
      out = LabelNamesOf(*arg);
      break;
    }
  }
  if (name == "info") return {};
  if ((name == "label_replace" || name == "label_join") && call.args.size() > 1) {
    const auto& target = promql::Unwrap(*call.args[1]);
    if (target.kind == NodeKind::kString) {
      Add(out, static_cast<const promql::StringLiteral&>(target).value);
    }
  }
  return out;
}

}  // namespace

LabelNames LabelNamesOf(const promql::Expr& expr) {
  switch (expr.kind) {
    case NodeKind::kNumber:
    case NodeKind::kString:
      return Only({});
    case NodeKind::kVectorSelector:
    case NodeKind::kMatrixSelector:
      return {};
    case NodeKind::kSubquery:
      return LabelNamesOf(*static_cast<const promql::Subquery&>(expr).expr);
    case NodeKind::kUnary:
      return LabelNamesOf(*static_cast<const promql::Unary&>(expr).expr);
    case NodeKind::kParen:
      return LabelNamesOf(*static_cast<const promql::Paren&>(expr).expr);
    case NodeKind::kBinary:
      return OfBinary(static_cast<const promql::Binary&>(expr));
    case NodeKind::kAggregate:
      return OfAggregate(static_cast<const promql::Aggregate&>(expr));
    case NodeKind::kCall:
      return OfCall(static_cast<const promql::Call&>(expr));
  }
  return {};
}

}  // namespace vigia::alerting::rules
