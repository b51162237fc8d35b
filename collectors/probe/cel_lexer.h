// Cuts CEL expressions into words, numbers, strings and signs. For
// cel_syntax.cc.

#pragma once

#include <string>
#include <string_view>

namespace vigia::collectors::probe::cel {

struct Token {
  enum class Kind { kEnd, kWord, kNumber, kString, kSign };
  Kind kind = Kind::kEnd;
  std::string text = {};  // a string's without quotes, unescaped
  std::size_t column = 0;
};

// A fault of the expression, thrown by lexer and parser and caught in Parse().
struct Fault {
  std::size_t column;  // from 1
  std::string what;
};

class Lexer {
 public:
  // `text` outlives it.
  explicit Lexer(std::string_view text) : text_(text) {}

  // Throws Fault.
  Token Next();

 private:
  void Skip();
  Token Number(Token token);
  Token Sign(Token token);
  Token String(bool raw, Token token);
  void Escape(std::string& out);

  const std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace vigia::collectors::probe::cel
