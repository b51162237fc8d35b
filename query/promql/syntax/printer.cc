#include "query/promql/syntax/printer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "core/labels.h"
#include "query/promql/format.h"
#include "query/promql/functions/function.h"
#include "query/promql/syntax/quote.h"

namespace vigia::promql {
namespace {

std::string Milliseconds(std::int64_t value) {
  return FormatDuration(std::chrono::milliseconds(value));
}

std::string LabelList(const std::vector<std::string>& labels) {
  std::string out = "(";
  for (const auto& label : labels) {
    if (out.size() > 1) out += ", ";
    out += IsLegacyLabelName(label) ? label : Quote(label);
  }
  return out + ")";
}

std::string NumberText(const NumberLiteral& number) {
  if (!number.duration) return FormatFixed(number.value);
  const auto milliseconds = static_cast<std::int64_t>(std::llround(std::abs(number.value) * 1000));
  return (number.value < 0 ? "-" : "") + Milliseconds(milliseconds);
}

// A sign in front of a power is the power's, not its base's: as "+Inf ^ 2" an infinite base would
// read as +(Inf ^ 2), and gain another sign each time it is printed.
std::string LeftText(const Binary& binary) {
  std::string text = ToString(*binary.left);
  const bool signed_base = binary.op == Token::kPow && text == "+Inf";
  return signed_base ? text.substr(1) : text;
}

// Without @ and offset.
std::string SelectorText(const VectorSelector& selector) {
  std::vector<std::string> matchers;
  for (const auto& matcher : selector.matchers) {
    const bool name = matcher.name == kMetricName && matcher.op == Matcher::Op::kEqual &&
                      matcher.value == selector.name && !matcher.value.empty();
    if (!name) matchers.push_back(ToString(matcher));
  }
  std::string out = selector.name;
  if (matchers.empty()) return out.empty() ? "{}" : out;
  std::sort(matchers.begin(), matchers.end());
  out += '{';
  for (std::size_t i = 0; i < matchers.size(); ++i) (out += i == 0 ? "" : ",") += matchers[i];
  return out + "}";
}

std::string Arguments(const Call& call) {
  std::string out;
  for (const auto& arg : call.args) {
    if (!out.empty()) out += ", ";
    out += ToString(*arg);
  }
  return out;
}

}  // namespace

std::string_view Spelling(Matcher::Op op) {
  switch (op) {
    case Matcher::Op::kEqual:
      return "=";
    case Matcher::Op::kNotEqual:
      return "!=";
    case Matcher::Op::kRegex:
      return "=~";
    case Matcher::Op::kNotRegex:
      return "!~";
  }
  return "";
}

std::string ToString(const Matcher& matcher) {
  const std::string name = IsLegacyLabelName(matcher.name) ? matcher.name : Quote(matcher.name);
  return name + std::string(Spelling(matcher.op)) + Quote(matcher.value);
}

std::string TimeSuffix(const TimeShift& shift) {
  std::string out;
  switch (shift.at) {
    case TimeShift::At::kNone:
      break;
    case TimeShift::At::kStart:
      out = " @ start()";
      break;
    case TimeShift::At::kEnd:
      out = " @ end()";
      break;
    case TimeShift::At::kTime: {
      char text[40];
      std::snprintf(text, sizeof text, " @ %.3f", static_cast<double>(shift.time) / 1000);
      out = text;
    }
  }
  if (shift.offset > 0) out += " offset " + Milliseconds(shift.offset);
  if (shift.offset < 0) out += " offset -" + Milliseconds(-shift.offset);
  return out;
}

std::string TimeSuffix(const Subquery& subquery) {
  const std::string step = subquery.step != 0 ? Milliseconds(subquery.step) : "";
  return "[" + Milliseconds(subquery.window) + ":" + step + "]" + TimeSuffix(subquery.shift);
}

std::string MatchingText(const Binary& binary) {
  if (!binary.matching) return {};
  const auto& matching = *binary.matching;
  const bool many_to_one = matching.card == VectorMatching::Card::kManyToOne;
  const bool grouped = many_to_one || matching.card == VectorMatching::Card::kOneToMany;
  std::string out;
  if (!matching.labels.empty() || matching.on || grouped) {
    out += matching.on ? " on " : " ignoring ";
    out += LabelList(matching.labels);
  }
  if (grouped) {
    out += many_to_one ? " group_left " : " group_right ";
    out += LabelList(matching.include);
  }
  const auto& left = matching.fill_left;
  const auto& right = matching.fill_right;
  if (left && right && *left == *right) {
    out += " fill (" + FormatGeneral(*left) + ")";
  } else {
    if (left) out += " fill_left (" + FormatGeneral(*left) + ")";
    if (right) out += " fill_right (" + FormatGeneral(*right) + ")";
  }
  return out;
}

std::string AggregateHead(const Aggregate& aggregate) {
  std::string out(Spelling(aggregate.op));
  if (aggregate.without) {
    out += " without " + LabelList(aggregate.grouping) + " ";
  } else if (!aggregate.grouping.empty()) {
    out += " by " + LabelList(aggregate.grouping) + " ";
  }
  return out;
}

std::string ToString(const Expr& expr) {
  switch (expr.kind) {
    case NodeKind::kNumber:
      return NumberText(static_cast<const NumberLiteral&>(expr));
    case NodeKind::kString:
      return Quote(static_cast<const StringLiteral&>(expr).value);
    case NodeKind::kVectorSelector: {
      const auto& selector = static_cast<const VectorSelector&>(expr);
      return SelectorText(selector) + TimeSuffix(selector.shift);
    }
    case NodeKind::kMatrixSelector: {
      const auto& matrix = static_cast<const MatrixSelector&>(expr);
      return SelectorText(*matrix.selector) + "[" + Milliseconds(matrix.window) + "]" +
             TimeSuffix(matrix.selector->shift);
    }
    case NodeKind::kSubquery: {
      const auto& subquery = static_cast<const Subquery&>(expr);
      return ToString(*subquery.expr) + TimeSuffix(subquery);
    }
    case NodeKind::kUnary: {
      const auto& unary = static_cast<const Unary&>(expr);
      return std::string(Spelling(unary.op)) + ToString(*unary.expr);
    }
    case NodeKind::kParen:
      return "(" + ToString(*static_cast<const Paren&>(expr).expr) + ")";
    case NodeKind::kBinary: {
      const auto& binary = static_cast<const Binary&>(expr);
      return LeftText(binary) + " " + std::string(Spelling(binary.op)) +
             (binary.return_bool ? " bool" : "") + MatchingText(binary) + " " +
             ToString(*binary.right);
    }
    case NodeKind::kAggregate: {
      const auto& aggregate = static_cast<const Aggregate&>(expr);
      std::string out = AggregateHead(aggregate) + "(";
      if (aggregate.parameter) out += ToString(*aggregate.parameter) + ", ";
      return out + ToString(*aggregate.expr) + ")";
    }
    case NodeKind::kCall: {
      const auto& call = static_cast<const Call&>(expr);
      return std::string(call.function.name) + "(" + Arguments(call) + ")";
    }
  }
  return {};
}

}  // namespace vigia::promql
