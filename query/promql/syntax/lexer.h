// The lexer of PromQL: takes a query apart into tokens, one at a time.
//
// It knows where it stands (inside braces, brackets) as Prometheus' does, so that its errors
// are the same. Not thread-safe.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "query/promql/syntax/options.h"
#include "query/promql/syntax/token.h"

namespace vigia::promql {

class Lexer {
 public:
  // `query` outlives the lexer.
  Lexer(std::string_view query, Semantics semantics) : query_(query), semantics_(semantics) {}
  // Items point into the lexer.
  Lexer(const Lexer&) = delete;
  Lexer& operator=(const Lexer&) = delete;

  // The next token that is not a comment; after the end or an error, the same again.
  Item Next();

 private:
  static constexpr std::int32_t kEnd = -1;

  Item LexOutside();
  Item LexOperator(std::int32_t c);
  Item LexBracketContent(std::int32_t c);
  Item LexInsideBraces();
  Item LexInsideBrackets();
  Item LexString(char quote);
  Item LexEscape(char quote);
  Item LexNumberOrDuration();
  Item LexWord();
  void SkipComment();
  void SkipSpaces();

  bool ScanNumber();
  bool ScanDuration();

  std::int32_t Peek() const;
  std::int32_t Advance();
  bool Accept(std::string_view any_of);
  bool IsNext(std::string_view any_of) const;

  Item Emit(Token token);
  Item Error(std::string message);

  const std::string_view query_;
  const Semantics semantics_;
  std::size_t start_ = 0;
  std::size_t at_ = 0;
  int paren_depth_ = 0;
  bool in_braces_ = false;
  bool in_brackets_ = false;
  bool bracket_begins_ = false;  // nothing but operators has been seen since the bracket
  bool seen_colon_ = false;
  bool done_ = false;
  Item last_;
  std::string message_;
};

}  // namespace vigia::promql
