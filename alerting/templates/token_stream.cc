#include "alerting/templates/token_stream.h"

#include <algorithm>

namespace vigia::alerting::templates {

const Token& TokenStream::Peek() {
  if (fault_) return end_;
  const Token& token = tokens_[at_];
  if (token.kind == Token::Kind::kError) {
    line_ = token.line;
    Fail(token.error);
    return end_;
  }
  return token;
}

const Token& TokenStream::Next() {
  const Token& token = Peek();
  line_ = fault_ ? line_ : token.line;
  if (!fault_ && token.kind != Token::Kind::kEnd) ++at_;
  return token;
}

const Token& TokenStream::PeekNonSpace() {
  while (Peek().kind == Token::Kind::kSpace) ++at_;
  return Peek();
}

const Token& TokenStream::NextNonSpace() {
  PeekNonSpace();
  return Next();
}

bool TokenStream::PeekKeyword(std::string_view word) {
  const Token& token = PeekNonSpace();
  return token.kind == Token::Kind::kKeyword && token.text == word;
}

const Token& TokenStream::Expect(Token::Kind kind, std::string_view context) {
  const Token& token = NextNonSpace();
  if (!fault_ && token.kind != kind) Unexpected(token, context);
  return token;
}

void TokenStream::Fail(const std::string& what) {
  if (fault_) return;
  fault_ = "template: " + std::string(name_) + ":" + std::to_string(line_) + ": " + what;
}

void TokenStream::Unexpected(const Token& token, std::string_view context) {
  line_ = std::max(line_, token.line);
  Fail("unexpected " + Shown(token) + " in " + std::string(context));
}

bool StartsOperand(const Token& token) {
  using K = Token::Kind;
  switch (token.kind) {
    case K::kBool:
    case K::kCharacter:
    case K::kDot:
    case K::kField:
    case K::kIdentifier:
    case K::kNumber:
    case K::kRawString:
    case K::kString:
    case K::kVariable:
    case K::kLeftParen:
      return true;
    case K::kKeyword:
      return token.text == "nil";
    default:
      return false;
  }
}

}  // namespace vigia::alerting::templates
