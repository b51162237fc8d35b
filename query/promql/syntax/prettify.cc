#include <cstddef>
#include <string>

#include "query/promql/functions/function.h"
#include "query/promql/syntax/printer.h"

namespace vigia::promql {
namespace {

constexpr std::size_t kMaxLine = 100;
// Indentation grows with the square of a query's size; machine-made giants stay on one line.
constexpr std::size_t kMaxPretty = 64 << 10;

std::string Indent(int level) { return std::string(static_cast<std::size_t>(level) * 2, ' '); }

std::string Pretty(const Expr& expr, int level);

std::string PrettyArguments(const Call& call, int level) {
  std::string out;
  for (const auto& arg : call.args) {
    if (!out.empty()) out += ",\n";
    out += Pretty(*arg, level);
  }
  return out;
}

std::string PrettyUnary(const Unary& unary, int level) {
  const std::string child = Pretty(*unary.expr, level);
  const auto first = child.find_first_not_of(' ');
  return Indent(level) + std::string(Spelling(unary.op)) + child.substr(first);
}

std::string Pretty(const Expr& expr, int level) {
  const std::string line = ToString(expr);
  const std::string indent = Indent(level);
  const bool fits = line.size() <= kMaxLine;
  switch (expr.kind) {
    case NodeKind::kAggregate: {
      if (fits) break;
      const auto& aggregate = static_cast<const Aggregate&>(expr);
      std::string out = indent + AggregateHead(aggregate) + "(\n";
      if (aggregate.parameter) out += Pretty(*aggregate.parameter, level + 1) + ",\n";
      return out + Pretty(*aggregate.expr, level + 1) + "\n" + indent + ")";
    }
    case NodeKind::kBinary: {
      if (fits) break;
      const auto& binary = static_cast<const Binary&>(expr);
      return Pretty(*binary.left, level + 1) + "\n" + indent + std::string(Spelling(binary.op)) +
             (binary.return_bool ? " bool" : "") + MatchingText(binary) + "\n" +
             Pretty(*binary.right, level + 1);
    }
    case NodeKind::kCall: {
      if (fits) break;
      const auto& call = static_cast<const Call&>(expr);
      return indent + std::string(call.function.name) + "(\n" + PrettyArguments(call, level + 1) +
             "\n" + indent + ")";
    }
    case NodeKind::kParen: {
      if (fits) break;
      const auto& inner = *static_cast<const Paren&>(expr).expr;
      return indent + "(\n" + Pretty(inner, level + 1) + "\n" + indent + ")";
    }
    case NodeKind::kSubquery: {
      if (fits) break;
      const auto& subquery = static_cast<const Subquery&>(expr);
      return Pretty(*subquery.expr, level) + TimeSuffix(subquery);
    }
    case NodeKind::kUnary:
      return PrettyUnary(static_cast<const Unary&>(expr), level);
    default:
      break;
  }
  return indent + line;
}

}  // namespace

std::string Prettify(const Expr& expr) {
  std::string line = ToString(expr);
  return line.size() > kMaxPretty ? line : Pretty(expr, 0);
}

}  // namespace vigia::promql
