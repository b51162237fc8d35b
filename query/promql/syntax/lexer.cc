#include "query/promql/syntax/lexer.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "query/promql/syntax/quote.h"

namespace vigia::promql {
namespace {

bool IsSpace(std::int32_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsDigit(std::int32_t c) { return c >= '0' && c <= '9'; }
bool IsAlpha(std::int32_t c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsAlphaNumeric(std::int32_t c) { return IsAlpha(c) || IsDigit(c); }

std::string Lower(std::string_view word) {
  std::string lower(word);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

constexpr std::array kWords{
    Token::kAnd,      Token::kOr,         Token::kUnless,      Token::kAtan2,
    Token::kSum,      Token::kAvg,        Token::kCount,       Token::kMin,
    Token::kMax,      Token::kGroup,      Token::kStddev,      Token::kStdvar,
    Token::kTopk,     Token::kBottomk,    Token::kCountValues, Token::kQuantile,
    Token::kLimitk,   Token::kLimitRatio, Token::kOffset,      Token::kSmoothed,
    Token::kAnchored, Token::kBy,         Token::kWithout,     Token::kOn,
    Token::kIgnoring, Token::kGroupLeft,  Token::kGroupRight,  Token::kFill,
    Token::kFillLeft, Token::kFillRight,  Token::kBool,        Token::kStart,
    Token::kEnd,      Token::kStep,       Token::kRange,
};

// Words that later versions gave a meaning.
bool IsNewWord(Token token) {
  switch (token) {
    case Token::kLimitk:
    case Token::kLimitRatio:
    case Token::kSmoothed:
    case Token::kAnchored:
    case Token::kFill:
    case Token::kFillLeft:
    case Token::kFillRight:
    case Token::kStep:
    case Token::kRange:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::int32_t Lexer::Peek() const {
  return at_ < query_.size() ? DecodeRune(query_.substr(at_)).code : kEnd;
}

std::int32_t Lexer::Advance() {
  if (at_ >= query_.size()) return kEnd;
  const Rune rune = DecodeRune(query_.substr(at_));
  at_ += rune.length;
  return rune.code;
}

bool Lexer::IsNext(std::string_view any_of) const {
  return at_ < query_.size() && any_of.find(query_[at_]) != std::string_view::npos;
}

bool Lexer::Accept(std::string_view any_of) {
  if (!IsNext(any_of)) return false;
  ++at_;
  return true;
}

Item Lexer::Emit(Token token) {
  return {token, static_cast<std::int32_t>(start_), query_.substr(start_, at_ - start_)};
}

Item Lexer::Error(std::string message) {
  message_ = std::move(message);
  return {Token::kError, static_cast<std::int32_t>(start_), message_};
}

void Lexer::SkipSpaces() {
  while (IsSpace(Peek())) ++at_;
}

void Lexer::SkipComment() {
  while (at_ < query_.size() && query_[at_] != '\n' && query_[at_] != '\r') ++at_;
}

Item Lexer::Next() {
  if (done_) return last_;
  for (;;) {
    SkipSpaces();
    if (at_ >= query_.size() || query_[at_] != '#') break;
    SkipComment();
  }
  start_ = at_;
  if (in_braces_) {
    last_ = LexInsideBraces();
  } else if (in_brackets_ && bracket_begins_) {
    last_ = LexInsideBrackets();
  } else {
    last_ = LexOutside();
  }
  done_ = last_.token == Token::kEof || last_.token == Token::kError;
  return last_;
}

Item Lexer::LexOutside() {
  const std::int32_t c = Peek();
  if (c == kEnd) {
    if (paren_depth_ != 0) return Error("unclosed left parenthesis");
    if (in_brackets_) return Error("unclosed left bracket");
    return Emit(Token::kEof);
  }
  const bool number = IsDigit(c) || (c == '.' && at_ + 1 < query_.size() &&
                                     IsDigit(static_cast<unsigned char>(query_[at_ + 1])));
  if (number) return LexNumberOrDuration();
  if (IsAlpha(c) || c == ':') return in_brackets_ ? LexBracketContent(c) : LexWord();
  Advance();
  if (c == '"' || c == '\'' || c == '`') return LexString(static_cast<char>(c));
  return LexOperator(c);
}

Item Lexer::LexOperator(std::int32_t c) {
  switch (c) {
    case ',':
      return Emit(Token::kComma);
    case '*':
      return Emit(Token::kMul);
    case '/':
      return Emit(Token::kDiv);
    case '%':
      return Emit(Token::kMod);
    case '+':
      return Emit(Token::kAdd);
    case '-':
      return Emit(Token::kSub);
    case '^':
      return Emit(Token::kPow);
    case '@':
      return Emit(Token::kAt);
    case '<':
      return Emit(Accept("=") ? Token::kLte : Token::kLss);
    case '>':
      return Emit(Accept("=") ? Token::kGte : Token::kGtr);
    case '=':
      if (Accept("=")) return Emit(Token::kEqlc);
      if (Peek() == '~') return Error("unexpected character after '=': '~'");
      return Emit(Token::kEqual);
    case '!': {
      const std::int32_t next = Advance();
      if (next != '=') return Error("unexpected character after '!': " + QuoteRune(next));
      return Emit(Token::kNeq);
    }
    case '(':
      ++paren_depth_;
      return Emit(Token::kLeftParen);
    case ')':
      if (--paren_depth_ < 0) return Error("unexpected right parenthesis ')'");
      return Emit(Token::kRightParen);
    case '{':
      in_braces_ = true;
      return Emit(Token::kLeftBrace);
    case '[': {
      if (in_brackets_) return Error("unexpected left bracket '['");
      in_brackets_ = bracket_begins_ = true;
      seen_colon_ = false;
      return Emit(Token::kLeftBracket);
    }
    case ']':
      if (!in_brackets_) return Error("unexpected right bracket ']'");
      in_brackets_ = false;
      return Emit(Token::kRightBracket);
    default:
      return Error("unexpected character: " + QuoteRune(c));
  }
}

// A letter or colon behind the first duration of a bracket.
Item Lexer::LexBracketContent(std::int32_t c) {
  Advance();
  if (c != ':') return Error("unexpected character: " + QuoteRune(c) + ", expected ':'");
  if (seen_colon_) return Error("unexpected colon ':'");
  seen_colon_ = true;
  return Emit(Token::kColon);
}

// The front of a bracket, where Prometheus also admits arithmetic on durations.
Item Lexer::LexInsideBrackets() {
  const std::int32_t c = Peek();
  if (c == kEnd) return Error("unexpected end of input in duration expression");
  const bool number = IsDigit(c) || (c == '.' && at_ + 1 < query_.size() &&
                                     IsDigit(static_cast<unsigned char>(query_[at_ + 1])));
  if (number) {
    bracket_begins_ = false;
    return LexNumberOrDuration();
  }
  if (c == ':') return Error("unexpected colon before duration in duration expression");
  if (c < 0x80 && std::string_view("()+-*/%^,]").find(static_cast<char>(c)) != std::string::npos) {
    Advance();
    return LexOperator(c);
  }
  if (IsAlpha(c)) {
    const std::size_t from = at_;
    while (IsAlpha(Peek())) ++at_;
    const std::string word = Lower(query_.substr(from, at_ - from));
    for (const Token token : {Token::kStep, Token::kRange, Token::kMin, Token::kMax}) {
      if (word == Spelling(token)) return Emit(token);
    }
  }
  return Error("unexpected character in duration expression: " + QuoteRune(c));
}

Item Lexer::LexInsideBraces() {
  const std::int32_t c = Peek();
  if (c == kEnd) return Error("unexpected end of input inside braces");
  if (IsAlpha(c)) {
    while (IsAlphaNumeric(Peek())) ++at_;
    return Emit(Token::kIdentifier);
  }
  Advance();
  switch (c) {
    case ',':
      return Emit(Token::kComma);
    case '"':
    case '\'':
    case '`':
      return LexString(static_cast<char>(c));
    case '=':
      return Emit(Accept("~") ? Token::kEqlRegex : Token::kEqual);
    case '!': {
      if (Accept("~")) return Emit(Token::kNeqRegex);
      if (Accept("=")) return Emit(Token::kNeq);
      return Error("unexpected character after '!' inside braces: " + QuoteRune(Advance()));
    }
    case '{':
      return Error("unexpected left brace '{'");
    case '}':
      in_braces_ = false;
      return Emit(Token::kRightBrace);
    default:
      return Error("unexpected character inside braces: " + QuoteRune(c));
  }
}

Item Lexer::LexString(char quote) {
  const bool raw = quote == '`';
  for (;;) {
    if (at_ >= query_.size()) {
      return Error(raw ? "unterminated raw string" : "unterminated quoted string");
    }
    const Rune rune = DecodeRune(query_.substr(at_));
    if (!rune.valid) return Error("invalid UTF-8 rune");
    at_ += rune.length;
    if (rune.code == quote) return Emit(Token::kString);
    if (raw) continue;
    if (rune.code == '\n') return Error("unterminated quoted string");
    if (rune.code == '\\') {
      if (Item error = LexEscape(quote); error.token == Token::kError) return error;
    }
  }
}

// Only an error is worth returning.
Item Lexer::LexEscape(char quote) {
  const std::int32_t kind = Advance();
  int digits = 0;
  std::uint32_t base = 16;
  std::uint32_t limit = 0x10FFFF;
  if (kind == quote ||
      (kind > 0 && kind < 0x80 &&
       std::string_view("abfnrtv\\").find(static_cast<char>(kind)) != std::string_view::npos)) {
    return {};
  }
  if (kind == kEnd) return Error("escape sequence not terminated");
  if (kind >= '0' && kind <= '7') {
    --at_;
    digits = 3;
    base = 8;
    limit = 255;
  } else if (kind == 'x') {
    digits = 2;
    limit = 255;
  } else if (kind == 'u') {
    digits = 4;
  } else if (kind == 'U') {
    digits = 8;
  } else {
    return Error("unknown escape sequence " + NumberRune(kind));
  }
  std::uint32_t value = 0;
  for (; digits > 0; --digits) {
    const std::int32_t c = Advance();
    if (c == kEnd) return Error("escape sequence not terminated");
    std::uint32_t digit = 16;
    if (IsDigit(c)) digit = static_cast<std::uint32_t>(c - '0');
    if (c >= 'a' && c <= 'f') digit = static_cast<std::uint32_t>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') digit = static_cast<std::uint32_t>(c - 'A' + 10);
    if (digit >= base) {
      return Error("illegal character " + NumberRune(c) + " in escape sequence");
    }
    value = value * base + digit;
  }
  if (value > limit || (value >= 0xD800 && value < 0xE000)) {
    return Error("escape sequence is an invalid Unicode code point");
  }
  return {};
}

Item Lexer::LexNumberOrDuration() {
  if (ScanNumber()) return Emit(Token::kNumber);
  if (ScanDuration()) return Emit(Token::kDuration);
  return Error("bad number or duration syntax: " + Quote(query_.substr(start_, at_ - start_)));
}

bool Lexer::ScanNumber() {
  const std::size_t begin = at_;
  std::string_view digits = "0123456789";
  if (Accept("0") && Accept("xX")) {
    Accept("_");
    digits = "0123456789abcdefABCDEF";
  }
  const bool hexadecimal = digits.size() > 10;
  Accept(".");
  Accept(digits);
  bool dot = false;
  bool exponent = false;
  while (IsNext(digits) || IsNext("._eE")) {
    // Each may come once, and not beside the others; checked here because what is left over
    // would otherwise look like the next token.
    if ((IsNext(".") && dot) || (IsNext("eE") && exponent && !hexadecimal)) {
      ++at_;
      return false;
    }
    if (Accept(".")) {
      dot = true;
      if (Accept("_.") || hexadecimal) return false;
    } else if (!hexadecimal && Accept("eE")) {
      exponent = true;
      Accept("+-");
      if (Accept("._eE") || at_ >= query_.size()) return false;
    } else if (Accept("_")) {
      if (semantics_ == Semantics::kPrometheus2) return false;
      if (Accept("._eE") || at_ >= query_.size()) return false;
    } else {
      while (Accept(digits)) {
      }
    }
  }
  return at_ != begin && !IsAlphaNumeric(Peek());
}

bool Lexer::ScanDuration() {
  if (!Accept("smhdwy")) return false;
  Accept("s");
  while (Accept("0123456789")) {
    while (Accept("0123456789")) {
    }
    if (!Accept("smhdw")) return false;
    Accept("s");
  }
  if (!IsAlphaNumeric(Peek())) return true;
  ++at_;  // the message shows what did not fit
  return false;
}

Item Lexer::LexWord() {
  while (IsAlphaNumeric(Peek()) || Peek() == ':') ++at_;
  const std::string_view text = query_.substr(start_, at_ - start_);
  const std::string word = Lower(text);
  if (word == "inf" || word == "nan") return Emit(Token::kNumber);
  for (const Token token : kWords) {
    if (word != Spelling(token)) continue;
    if (semantics_ == Semantics::kPrometheus2 && IsNewWord(token)) break;
    const bool fill =
        token == Token::kFill || token == Token::kFillLeft || token == Token::kFillRight;
    if (fill) {
      // Only before a parenthesis, so that metrics of that name keep working.
      const auto next = query_.find_first_not_of(" \t\r\n", at_);
      if (next == std::string_view::npos || query_[next] != '(') break;
    }
    return Emit(token);
  }
  const bool colon = text.find(':') != std::string_view::npos;
  return Emit(colon ? Token::kMetricIdentifier : Token::kIdentifier);
}

}  // namespace vigia::promql
