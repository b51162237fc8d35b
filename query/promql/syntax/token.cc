#include "query/promql/syntax/token.h"

#include <span>

#include "query/promql/syntax/quote.h"

namespace vigia::promql {
namespace {

// By token; empty for those that are spelt in many ways.
// clang-format off
constexpr std::string_view kSpellingList[] = {
    // Up to kDuration.
    "", "", "", "", "", "", "", "",
    // Punctuation.
    "=", ":", ",", "{", "}", "[", "]", "(", ")",
    // Operators.
    "+", "-", "*", "/", "%", "^", "atan2", "==", "!=", "<=", "<", ">=", ">", "=~", "!~", "and",
    "or", "unless", "@",
    // Aggregators.
    "sum", "avg", "count", "min", "max", "group", "stddev", "stdvar", "topk", "bottomk",
    "count_values", "quantile", "limitk", "limit_ratio",
    // Keywords.
    "offset", "smoothed", "anchored", "by", "without", "on", "ignoring", "group_left",
    "group_right", "fill", "fill_left", "fill_right", "bool",
    // Words with a meaning behind @ and as functions.
    "start", "end", "step", "range",
};
// clang-format on
constexpr std::span<const std::string_view> kSpellings = kSpellingList;
static_assert(kSpellings.size() == static_cast<std::size_t>(Token::kRange) + 1);

// Of the tokens up to kDuration.
constexpr std::string_view kKinds[] = {"end of input",      "error",  "comment", "identifier",
                                       "metric identifier", "string", "number",  "duration"};

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
  const auto index = static_cast<std::size_t>(token);
  return index < kSpellings.size() ? kSpellings[index] : std::string_view();
}

std::string Item::Describe() const {
  if (token == Token::kEof) return "end of input";
  if (token == Token::kError) return "error " + std::string(text);
  if (token > Token::kDuration) return Text(*this);
  return std::string(kKinds[static_cast<std::size_t>(token)]) + " " + Text(*this);
}

}  // namespace vigia::promql
