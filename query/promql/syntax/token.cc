#include "query/promql/syntax/token.h"

#include "query/promql/syntax/quote.h"

namespace vigia::promql {
namespace {

std::string_view KindName(Token token) {
  switch (token) {
    case Token::kEof: return "end of input";
    case Token::kError: return "error";
    case Token::kComment: return "comment";
    case Token::kIdentifier: return "identifier";
    case Token::kMetricIdentifier: return "metric identifier";
    case Token::kString: return "string";
    case Token::kNumber: return "number";
    case Token::kDuration: return "duration";
    default: return {};
  }
}

std::string Text(const Item& item) {
  const auto bracketed = [&](std::string_view prefix) {
    std::string out = "<";
    out += prefix;
    out += item.text;
    return out + ">";
  };
  if (item.token == Token::kIdentifier || item.token == Token::kMetricIdentifier) {
    return Quote(item.text);
  }
  if (IsKeyword(item.token)) return bracketed("");
  if (IsOperator(item.token)) return bracketed("op:");
  if (IsAggregator(item.token)) return bracketed("aggr:");
  if (item.text.size() > 10) return QuotePrefix(item.text, 10) + "...";
  return Quote(item.text);
}

}  // namespace

std::string_view Spelling(Token token) {
  switch (token) {
    case Token::kEqual: return "=";
    case Token::kColon: return ":";
    case Token::kComma: return ",";
    case Token::kLeftBrace: return "{";
    case Token::kRightBrace: return "}";
    case Token::kLeftBracket: return "[";
    case Token::kRightBracket: return "]";
    case Token::kLeftParen: return "(";
    case Token::kRightParen: return ")";
    case Token::kAdd: return "+";
    case Token::kSub: return "-";
    case Token::kMul: return "*";
    case Token::kDiv: return "/";
    case Token::kMod: return "%";
    case Token::kPow: return "^";
    case Token::kAtan2: return "atan2";
    case Token::kEqlc: return "==";
    case Token::kNeq: return "!=";
    case Token::kLte: return "<=";
    case Token::kLss: return "<";
    case Token::kGte: return ">=";
    case Token::kGtr: return ">";
    case Token::kEqlRegex: return "=~";
    case Token::kNeqRegex: return "!~";
    case Token::kAnd: return "and";
    case Token::kOr: return "or";
    case Token::kUnless: return "unless";
    case Token::kAt: return "@";
    case Token::kSum: return "sum";
    case Token::kAvg: return "avg";
    case Token::kCount: return "count";
    case Token::kMin: return "min";
    case Token::kMax: return "max";
    case Token::kGroup: return "group";
    case Token::kStddev: return "stddev";
    case Token::kStdvar: return "stdvar";
    case Token::kTopk: return "topk";
    case Token::kBottomk: return "bottomk";
    case Token::kCountValues: return "count_values";
    case Token::kQuantile: return "quantile";
    case Token::kLimitk: return "limitk";
    case Token::kLimitRatio: return "limit_ratio";
    case Token::kOffset: return "offset";
    case Token::kSmoothed: return "smoothed";
    case Token::kAnchored: return "anchored";
    case Token::kBy: return "by";
    case Token::kWithout: return "without";
    case Token::kOn: return "on";
    case Token::kIgnoring: return "ignoring";
    case Token::kGroupLeft: return "group_left";
    case Token::kGroupRight: return "group_right";
    case Token::kFill: return "fill";
    case Token::kFillLeft: return "fill_left";
    case Token::kFillRight: return "fill_right";
    case Token::kBool: return "bool";
    case Token::kStart: return "start";
    case Token::kEnd: return "end";
    case Token::kStep: return "step";
    case Token::kRange: return "range";
    default: return {};
  }
}

std::string Item::Describe() const {
  if (token == Token::kEof) return "end of input";
  if (token == Token::kError) return "error " + std::string(text);
  const auto kind = KindName(token);
  if (kind.empty()) return Text(*this);
  return std::string(kind) + " " + Text(*this);
}

}  // namespace vigia::promql
