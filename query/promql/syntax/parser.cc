#include "query/promql/syntax/parser.h"

#include <algorithm>
#include <utility>

#include "query/promql/functions/function.h"
#include "query/promql/regex.h"
#include "query/promql/syntax/parser_impl.h"

namespace vigia::promql {
namespace {

constexpr int kLowest = 1;
constexpr int kPower = 6;

// 0 for what is no binary operator.
int Precedence(Token token) {
  switch (token) {
    case Token::kOr:
      return kLowest;
    case Token::kAnd:
    case Token::kUnless:
      return 2;
    case Token::kAdd:
    case Token::kSub:
      return 4;
    case Token::kMul:
    case Token::kDiv:
    case Token::kMod:
    case Token::kAtan2:
      return 5;
    case Token::kPow:
      return kPower;
    default:
      return IsComparison(token) ? 3 : 0;
  }
}

}  // namespace

Parser::Parser(std::string_view query, Semantics semantics)
    : query_(query), semantics_(semantics), lexer_(query, semantics) {
  item_ = lexer_.Next();
}

void Parser::Take() {
  switch (item_.token) {
    case Token::kRightBrace:
    case Token::kRightParen:
    case Token::kRightBracket:
    case Token::kDuration:
    case Token::kNumber:
      last_closing_ = item_.range().end;
      break;
    default:
      break;
  }
  if (peeked_) {
    item_ = *peeked_;
    peeked_.reset();
  } else {
    item_ = lexer_.Next();
  }
}

const Item& Parser::Peek() {
  if (!peeked_) peeked_ = lexer_.Next();
  return *peeked_;
}

bool Parser::Expect(Token token) {
  if (!Is(token)) {
    Unexpected();
    return false;
  }
  Take();
  return true;
}

void Parser::Error(PositionRange range, std::string message) {
  if (!error_) error_ = SyntaxError{range, std::move(message)};
}

void Parser::Unexpected(std::string_view context, std::string_view expected) {
  if (Is(Token::kError)) return Error(item_.range(), std::string(item_.text));
  std::string message = "unexpected " + item_.Describe();
  if (context.empty() && aggregations_open_ > 0) context = "aggregation";
  if (!context.empty()) (message += " in ") += context;
  if (!expected.empty()) (message += ", expected ") += expected;
  Error(item_.range(), std::move(message));
}

bool Parser::Enter() {
  if (++depth_ <= kMaxHeight) return true;
  Error(item_.range(), "expression is nested too deeply");
  return false;
}

ExprPtr Parser::Built(ExprPtr expr) {
  int below = 0;
  VisitChildren(*expr, [&](const Expr& child) { below = std::max(below, child.height); });
  expr->height = below + 1;
  if (expr->height <= kMaxHeight) return expr;
  Error(expr->range, "expression is nested too deeply");
  return nullptr;
}

ExprPtr Parser::ParseQuery() {
  if (query_.size() > kMaxQueryBytes) {
    Error({}, "expression is longer than " + std::to_string(kMaxQueryBytes) + " bytes");
    return nullptr;
  }
  if (Is(Token::kEof)) {
    Error({}, "no expression found in input");
    return nullptr;
  }
  auto expr = ParseExpr(kLowest);
  if (expr && !Is(Token::kEof)) Unexpected();
  return error_ ? nullptr : std::move(expr);
}

ExprPtr Parser::ParseSelectorOnly() {
  if (query_.size() > kMaxQueryBytes) {
    Error({}, "selector is longer than " + std::to_string(kMaxQueryBytes) + " bytes");
    return nullptr;
  }
  ExprPtr expr;
  if (Is(Token::kLeftBrace) || IsMetricName(item_.token)) {
    expr = ParseVectorSelector();
    if (expr && !Is(Token::kEof)) Unexpected();
  } else {
    Unexpected();
  }
  return error_ ? nullptr : std::move(expr);
}

ExprPtr Parser::ParseExpr(int min_precedence) {
  if (!Enter()) return nullptr;
  auto left = ParseUnary();
  while (left) {
    const Token op = item_.token;
    const int precedence = Precedence(op);
    if (precedence == 0 || precedence < min_precedence) break;
    Take();
    BinaryModifiers modifiers;
    if (!ParseBinaryModifiers(modifiers)) return nullptr;
    // Only ^ binds to the right.
    auto right = ParseExpr(op == Token::kPow ? precedence : precedence + 1);
    if (!right) return nullptr;
    const PositionRange range{left->range.start, right->range.end};
    auto binary = std::make_unique<Binary>(op, std::move(left), std::move(right), range);
    binary->return_bool = modifiers.return_bool;
    binary->matching = std::move(modifiers.matching);
    left = Built(std::move(binary));
  }
  --depth_;
  return left;
}

// A sign binds as * does: weaker than ^ and everything behind a selector.
ExprPtr Parser::ParseUnary() {
  if (!Is(Token::kAdd) && !Is(Token::kSub)) return ParseSuffixes(ParsePrimary());
  const Item op = item_;
  Take();
  auto operand = ParseExpr(kPower);
  if (!operand) return nullptr;
  if (operand->kind == NodeKind::kNumber) {
    auto& number = static_cast<NumberLiteral&>(*operand);
    if (op.token == Token::kSub) number.value = -number.value;
    number.range.start = op.position;
    return operand;
  }
  const PositionRange range{op.position, operand->range.end};
  return Built(std::make_unique<Unary>(op.token, std::move(operand), range));
}

bool Parser::IsMetricName(Token token) const {
  switch (token) {
    case Token::kIdentifier:
    case Token::kMetricIdentifier:
    case Token::kAnd:
    case Token::kOr:
    case Token::kUnless:
    case Token::kBy:
    case Token::kWithout:
    case Token::kOffset:
    case Token::kSmoothed:
    case Token::kAnchored:
    case Token::kFill:
    case Token::kFillLeft:
    case Token::kFillRight:
      return true;
    default:
      return IsAggregator(token) || IsPreprocessor(token);
  }
}

ExprPtr Parser::ParsePrimary() {
  switch (item_.token) {
    case Token::kLeftParen:
      return ParseParen();
    case Token::kNumber:
    case Token::kDuration:
      return ParseNumber();
    case Token::kString:
      return ParseString();
    case Token::kLeftBrace:
      return ParseVectorSelector();
    default:
      break;
  }
  if (IsAggregator(item_.token)) {
    const Token next = Peek().token;
    if (next == Token::kLeftParen || next == Token::kBy || next == Token::kWithout) {
      return ParseAggregate();
    }
  }
  if ((Is(Token::kIdentifier) || IsPreprocessor(item_.token)) &&
      Peek().token == Token::kLeftParen) {
    return ParseCall();
  }
  if (IsMetricName(item_.token)) return ParseVectorSelector();
  Unexpected();
  return nullptr;
}

ExprPtr Parser::ParseParen() {
  const std::int32_t start = item_.position;
  Take();
  auto inner = ParseExpr(kLowest);
  if (!inner) return nullptr;
  const std::int32_t end = item_.range().end;
  if (!Expect(Token::kRightParen)) return nullptr;
  return Built(std::make_unique<Paren>(std::move(inner), PositionRange{start, end}));
}

ExprPtr Parser::ParseAggregate() {
  auto aggregate = std::make_unique<Aggregate>(item_.token, item_.range());
  Take();
  ++aggregations_open_;
  const bool modifier_first = Is(Token::kBy) || Is(Token::kWithout);
  if (modifier_first && !ParseGroupModifier(*aggregate)) return nullptr;
  std::vector<ExprPtr> args;
  if (!ParseArguments(args)) return nullptr;
  --aggregations_open_;
  if (!modifier_first && (Is(Token::kBy) || Is(Token::kWithout)) &&
      !ParseGroupModifier(*aggregate)) {
    return nullptr;
  }
  aggregate->range.end = last_closing_;
  return FinishAggregate(std::move(aggregate), std::move(args));
}

ExprPtr Parser::FinishAggregate(std::unique_ptr<Aggregate> aggregate, std::vector<ExprPtr> args) {
  if (args.empty()) {
    Error(aggregate->range, "no arguments for aggregate expression provided");
    return nullptr;
  }
  const std::size_t wanted = TakesParameter(aggregate->op) ? 2 : 1;
  if (args.size() != wanted) {
    Error(aggregate->range,
          "wrong number of arguments for aggregate expression provided, expected " +
              std::to_string(wanted) + ", got " + std::to_string(args.size()));
    return nullptr;
  }
  if (wanted == 2) aggregate->parameter = std::move(args[0]);
  aggregate->expr = std::move(args.back());
  return Built(std::move(aggregate));
}

ExprPtr Parser::ParseCall() {
  const Item name = item_;
  Take();
  std::vector<ExprPtr> args;
  if (!ParseArguments(args)) return nullptr;
  const Function* function = FindFunction(name.text, semantics_);
  if (!function) {
    std::string message = "unknown function with name \"";
    Error(name.range(), (message += name.text) += '"');
    return nullptr;
  }
  auto call = std::make_unique<Call>(*function, PositionRange{name.position, last_closing_});
  call->args = std::move(args);
  return Built(std::move(call));
}

bool Parser::ParseArguments(std::vector<ExprPtr>& args) {
  if (!Expect(Token::kLeftParen)) return false;
  if (!Is(Token::kRightParen)) {
    for (;;) {
      auto arg = ParseExpr(kLowest);
      if (!arg) return false;
      args.push_back(std::move(arg));
      if (!Is(Token::kComma)) break;
      const Item comma = item_;
      Take();
      if (Is(Token::kRightParen)) {
        Error(comma.range(), "trailing commas not allowed in function call args");
        return false;
      }
    }
  }
  return Expect(Token::kRightParen);
}

namespace {

QueryError AsQueryError(const SyntaxError& error, std::string_view query) {
  return {QueryError::Kind::kBadData,
          FormatPosition(query, error.range) + ": parse error: " + error.message};
}

}  // namespace

QueryResult<ParsedQueryPtr> Parse(std::string_view query, Semantics semantics) {
  Parser parser(query, semantics);
  auto root = parser.ParseQuery();
  if (!root) return Fail(AsQueryError(*parser.error(), query));
  if (auto error = CheckTypes(*root, query)) return Fail(AsQueryError(*error, query));
  MarkStepInvariant(*root);
  return std::make_shared<const ParsedQuery>(std::string(query), std::move(root), semantics);
}

QueryResult<std::vector<Matcher>> ParseSelector(std::string_view text, Semantics semantics) {
  Parser parser(text, semantics);
  auto root = parser.ParseSelectorOnly();
  if (!root) return Fail(AsQueryError(*parser.error(), text));
  return std::move(static_cast<VectorSelector&>(*root).matchers);
}

bool FitsEverything(std::span<const Matcher> matchers, Semantics semantics) {
  return std::all_of(matchers.begin(), matchers.end(),
                     [&](const Matcher& matcher) { return FitsValue(matcher, "", semantics); });
}

}  // namespace vigia::promql
