// The tokens of a template, one after another, and the first fault that is found in them.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/templates/lexer.h"

namespace vigia::alerting::templates {

class TokenStream {
 public:
  // `text` outlives the stream; `name` is the template's, for messages.
  TokenStream(std::string_view name, std::string_view text)
      : name_(name), tokens_(Tokenize(text)) {}

  std::string_view file() const { return name_; }

  // After a fault only the end.
  const Token& Peek();
  const Token& Next();
  const Token& PeekNonSpace();
  const Token& NextNonSpace();
  bool PeekKeyword(std::string_view word);

  // Where the stream stands, to come back to.
  std::size_t position() const { return at_; }
  void Rewind(std::size_t position) { at_ = position; }
  // Gives the last token back.
  void Back() { --at_; }

  // The next one that is no space; another kind is a fault.
  const Token& Expect(Token::Kind kind, std::string_view context);
  // Keeps the first fault, at the line of the last token.
  void Fail(const std::string& what);
  void Unexpected(const Token& token, std::string_view context);
  bool failed() const { return fault_.has_value(); }
  const std::string& fault() const { return *fault_; }

 private:
  const std::string_view name_;
  const std::vector<Token> tokens_;
  const Token end_;
  std::size_t at_ = 0;
  int line_ = 1;
  std::optional<std::string> fault_;
};

// Whether an operand of an expression may begin with it.
bool StartsOperand(const Token& token);

}  // namespace vigia::alerting::templates
