// Selectors: matchers, ranges and subqueries, offset and @.

#include <cmath>
#include <utility>

#include "core/labels.h"
#include "core/text/utf8.h"
#include "query/promql/regex.h"
#include "query/promql/syntax/parser.h"
#include "query/promql/syntax/parser_impl.h"
#include "query/promql/syntax/quote.h"

namespace vigia::promql {
namespace {

std::optional<Matcher::Op> MatchOp(Token token) {
  switch (token) {
    case Token::kEqual:
      return Matcher::Op::kEqual;
    case Token::kNeq:
      return Matcher::Op::kNotEqual;
    case Token::kEqlRegex:
      return Matcher::Op::kRegex;
    case Token::kNeqRegex:
      return Matcher::Op::kNotRegex;
    default:
      return std::nullopt;
  }
}

bool IsSelector(const Expr& expr) { return expr.kind == NodeKind::kVectorSelector; }

}  // namespace

ExprPtr Parser::ParseVectorSelector() {
  auto selector = std::make_unique<VectorSelector>(std::string(), item_.range());
  if (!Is(Token::kLeftBrace)) {
    selector->name = item_.text;
    Take();
  }
  if (Is(Token::kLeftBrace)) {
    Take();
    if (!ParseMatchers(*selector)) return nullptr;
    selector->range.end = last_closing_;
  }
  if (!selector->name.empty()) {
    Matcher matcher{Matcher::Op::kEqual, std::string(kMetricName), selector->name};
    if (!AddMatcher(*selector, std::move(matcher), selector->range)) return nullptr;
  }
  return Built(std::move(selector));
}

bool Parser::ParseMatchers(VectorSelector& selector) {
  while (!Is(Token::kRightBrace)) {
    if (!ParseMatcher(selector)) return false;
    if (Is(Token::kComma)) {
      Take();
    } else if (!Is(Token::kRightBrace)) {
      Unexpected("label matching", "\",\" or \"}\"");
      return false;
    }
  }
  Take();
  return true;
}

bool Parser::ParseMatcher(VectorSelector& selector) {
  const Item label = item_;
  std::string name(label.text);
  const bool quoted = Is(Token::kString) && semantics_ == Semantics::kPrometheus3;
  if (quoted) {
    auto text = UnquoteHere();
    if (!text) return false;
    name = std::move(*text);
  } else if (!Is(Token::kIdentifier)) {
    Unexpected("label matching", "identifier or \"}\"");
    return false;
  }
  Take();
  const auto op = MatchOp(item_.token);
  if (!op) {
    if (quoted) {
      return AddMatcher(selector, {Matcher::Op::kEqual, std::string(kMetricName), std::move(name)},
                        label.range());
    }
    Unexpected("label matching", "label matching operator");
    return false;
  }
  Take();
  if (!Is(Token::kString)) {
    Unexpected("label matching", "string");
    return false;
  }
  const PositionRange range{label.position, item_.range().end};
  auto value = UnquoteHere();
  if (!value) return false;
  Take();
  return AddMatcher(selector, {*op, std::move(name), std::move(*value)}, range);
}

bool Parser::AddMatcher(VectorSelector& selector, Matcher matcher, PositionRange range) {
  if (selector.matchers.size() >= kMaxMatchers) {
    Error(range, "more than " + std::to_string(kMaxMatchers) + " label matchers in one selector");
    return false;
  }
  bool fits_empty = matcher.value.empty();
  if (matcher.op == Matcher::Op::kRegex || matcher.op == Matcher::Op::kNotRegex) {
    if (++regexes_ > kMaxMatchers) {
      Error(range, "more than " + std::to_string(kMaxMatchers) + " regular expressions");
      return false;
    }
    auto regex = Regex::CompileAnchored(matcher.value, semantics_);
    if (!regex) {
      Error(range, regex.error().message());
      return false;
    }
    fits_empty = regex->Matches("");
  }
  const bool negated = matcher.op == Matcher::Op::kNotEqual || matcher.op == Matcher::Op::kNotRegex;
  selector.fits_empty.push_back(fits_empty != negated);
  selector.matchers.push_back(std::move(matcher));
  return true;
}

ExprPtr Parser::ParseSuffixes(ExprPtr expr) {
  while (expr) {
    switch (item_.token) {
      case Token::kLeftBracket:
        expr = ParseBrackets(std::move(expr));
        break;
      case Token::kOffset:
        expr = ParseOffset(std::move(expr));
        break;
      case Token::kAt:
        expr = ParseAt(std::move(expr));
        break;
      case Token::kAnchored:
      case Token::kSmoothed:
        Error(expr->range,
              std::string(Spelling(item_.token)) + " modifier is experimental and not enabled");
        return nullptr;
      default:
        return expr;
    }
  }
  return nullptr;
}

ExprPtr Parser::ParseBrackets(ExprPtr expr) {
  const Item left = item_;
  Take();
  const auto window =
      ParsePositiveDuration("subquery or range selector", "number, duration, step(), or range()");
  if (!window) return nullptr;
  if (Is(Token::kRightBracket)) return FinishRange(std::move(expr), *window, left);
  if (!Is(Token::kColon)) {
    Unexpected("subquery or range", "\":\" or \"]\"");
    return nullptr;
  }
  Take();
  std::int64_t step = 0;
  if (!Is(Token::kRightBracket)) {
    const auto given =
        ParsePositiveDuration("subquery selector", "number, duration, step(), range(), or \"]\"");
    if (!given) return nullptr;
    step = *given;
    if (!Is(Token::kRightBracket)) {
      Unexpected("subquery selector", "\"]\"");
      return nullptr;
    }
  }
  const PositionRange range{expr->range.start, item_.range().end};
  Take();
  return Built(std::make_unique<Subquery>(std::move(expr), *window, step, range));
}

ExprPtr Parser::FinishRange(ExprPtr expr, std::int64_t window, const Item& left_bracket) {
  std::string_view fault;
  if (!IsSelector(*expr)) {
    fault = "ranges only allowed for vector selectors";
  } else if (const auto& shift = static_cast<VectorSelector&>(*expr).shift; shift.offset != 0) {
    fault = "no offset modifiers allowed before range";
  } else if (shift.at == TimeShift::At::kTime) {
    fault = "no @ modifiers allowed before range";
  }
  if (!fault.empty()) {
    Error({left_bracket.position, item_.range().end}, std::string(fault));
    return nullptr;
  }
  const PositionRange range{expr->range.start, item_.range().end};
  Take();
  std::unique_ptr<VectorSelector> selector(static_cast<VectorSelector*>(expr.release()));
  return Built(std::make_unique<MatrixSelector>(std::move(selector), window, range));
}

TimeShift* Parser::ShiftOf(Expr& expr, std::string_view modifier) {
  switch (expr.kind) {
    case NodeKind::kVectorSelector:
      return &static_cast<VectorSelector&>(expr).shift;
    case NodeKind::kMatrixSelector:
      return &static_cast<MatrixSelector&>(expr).selector->shift;
    case NodeKind::kSubquery:
      return &static_cast<Subquery&>(expr).shift;
    default:
      break;
  }
  Error(expr.range, std::string(modifier) +
                        " modifier must be preceded by an instant vector selector or range vector "
                        "selector or a subquery");
  return nullptr;
}

ExprPtr Parser::ParseOffset(ExprPtr expr) {
  Take();
  double sign = 1;
  const PositionRange range = item_.range();
  if (Is(Token::kSub) || (Is(Token::kAdd) && semantics_ == Semantics::kPrometheus3)) {
    if (Is(Token::kSub)) sign = -1;
    Take();
  }
  const auto seconds = ParseSeconds("offset", "number, duration, step(), or range()");
  if (!seconds) return nullptr;
  if (*seconds == 0 && semantics_ == Semantics::kPrometheus2) {
    Error(range, "duration must be greater than 0");
    return nullptr;
  }
  TimeShift* shift = ShiftOf(*expr, "offset");
  if (!shift) return nullptr;
  if (shift->offset != 0) {
    Error(expr->range, "offset may not be set multiple times");
    return nullptr;
  }
  shift->offset = std::llround(sign * *seconds * 1000);
  expr->range.end = last_closing_;
  return expr;
}

ExprPtr Parser::ParseAt(ExprPtr expr) {
  Take();
  if (Is(Token::kStart) || Is(Token::kEnd)) {
    const auto at = Is(Token::kStart) ? TimeShift::At::kStart : TimeShift::At::kEnd;
    Take();
    for (const Token token : {Token::kLeftParen, Token::kRightParen}) {
      if (!Is(token)) {
        Unexpected("@", "timestamp");
        return nullptr;
      }
      Take();
    }
    return SetAt(*expr, at, 0) ? std::move(expr) : nullptr;
  }
  double sign = 1;
  if (Is(Token::kSub) || Is(Token::kAdd)) {
    if (Is(Token::kSub)) sign = -1;
    Take();
  }
  const bool number =
      Is(Token::kNumber) || (Is(Token::kDuration) && semantics_ == Semantics::kPrometheus3);
  if (!number) {
    Unexpected("@", "timestamp");
    return nullptr;
  }
  const auto seconds = SecondsHere();
  if (!seconds) return nullptr;
  Take();
  return SetAt(*expr, TimeShift::At::kTime, sign * *seconds) ? std::move(expr) : nullptr;
}

bool Parser::SetAt(Expr& expr, TimeShift::At at, double seconds) {
  constexpr double kBound = 9223372036854775807.0;
  if (!(std::abs(seconds) < kBound)) {
    char text[400];
    std::snprintf(text, sizeof text, "%f", seconds);
    std::string shown = std::isnan(seconds)   ? "NaN"
                        : std::isinf(seconds) ? (seconds > 0 ? "+Inf" : "-Inf")
                                              : text;
    Error(expr.range, "timestamp out of bounds for @ modifier: " + shown);
    return false;
  }
  TimeShift* shift = ShiftOf(expr, "@");
  if (!shift) return false;
  if (shift->at != TimeShift::At::kNone) {
    Error(expr.range, "@ <timestamp> may not be set multiple times");
    return false;
  }
  shift->at = at;
  // Milliseconds beyond the integers are as far away as can be.
  const double milliseconds = std::round(seconds * 1000);
  constexpr double kFarthest = 9.2e18;
  shift->time = static_cast<Timestamp>(std::clamp(milliseconds, -kFarthest, kFarthest));
  expr.range.end = last_closing_;
  return true;
}

}  // namespace vigia::promql
