// The tokens of PromQL.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "query/promql/syntax/position.h"

namespace vigia::promql {

// The order matters: Is...() below are ranges.
enum class Token : std::uint8_t {
  kEof,
  kError,
  kComment,
  kIdentifier,
  kMetricIdentifier,  // an identifier with a colon
  kString,
  kNumber,
  kDuration,
  kEqual,  // =, of a matcher
  kColon,
  kComma,
  kLeftBrace,
  kRightBrace,
  kLeftBracket,
  kRightBracket,
  kLeftParen,
  kRightParen,
  // Operators.
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kPow,
  kAtan2,
  kEqlc,  // ==
  kNeq,
  kLte,
  kLss,
  kGte,
  kGtr,
  kEqlRegex,
  kNeqRegex,
  kAnd,
  kOr,
  kUnless,
  kAt,
  // Aggregators.
  kSum,
  kAvg,
  kCount,
  kMin,
  kMax,
  kGroup,
  kStddev,
  kStdvar,
  kTopk,
  kBottomk,
  kCountValues,
  kQuantile,
  kLimitk,
  kLimitRatio,
  // Keywords.
  kOffset,
  kSmoothed,
  kAnchored,
  kBy,
  kWithout,
  kOn,
  kIgnoring,
  kGroupLeft,
  kGroupRight,
  kFill,
  kFillLeft,
  kFillRight,
  kBool,
  // Words with a meaning behind @ and as functions.
  kStart,
  kEnd,
  kStep,
  kRange,
};

constexpr bool IsOperator(Token token) { return token >= Token::kAdd && token <= Token::kAt; }
constexpr bool IsAggregator(Token token) {
  return token >= Token::kSum && token <= Token::kLimitRatio;
}
constexpr bool IsKeyword(Token token) { return token >= Token::kOffset && token <= Token::kBool; }
constexpr bool IsPreprocessor(Token token) { return token >= Token::kStart; }
constexpr bool IsComparison(Token token) { return token >= Token::kEqlc && token <= Token::kGtr; }
constexpr bool IsSetOperator(Token token) {
  return token == Token::kAnd || token == Token::kOr || token == Token::kUnless;
}
constexpr bool TakesParameter(Token aggregator) {
  return aggregator >= Token::kTopk && aggregator <= Token::kLimitRatio;
}

// How the token is spelt: "+", "sum", "group_left"; empty for those without a fixed spelling.
std::string_view Spelling(Token token);

struct Item {
  Token token = Token::kEof;
  std::int32_t position = 0;
  // A part of the query, or (kError) the lexer's message.
  std::string_view text;

  PositionRange range() const {
    return {position, position + static_cast<std::int32_t>(text.size())};
  }
  // As in "unexpected <op:+>": what the item is, for error messages.
  std::string Describe() const;
};

}  // namespace vigia::promql
