#include "collectors/probe/cel_lexer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

namespace vigia::collectors::probe::cel {
namespace {

bool IsWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

bool IsQuote(char c) { return c == '"' || c == '\''; }

std::string Utf8(std::uint32_t code) {
  std::string out;
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 63));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 63));
    out += static_cast<char>(0x80 | (code & 63));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 63));
    out += static_cast<char>(0x80 | (code >> 6 & 63));
    out += static_cast<char>(0x80 | (code & 63));
  }
  return out;
}

}  // namespace

Token Lexer::Next() {
  Skip();
  Token token;
  token.column = at_ + 1;
  if (at_ >= text_.size()) return token;
  const char c = text_[at_];
  const bool raw = (c == 'r' || c == 'R') && at_ + 1 < text_.size() && IsQuote(text_[at_ + 1]);
  if (raw || IsQuote(c)) return String(raw, std::move(token));
  if (std::isdigit(static_cast<unsigned char>(c)) ||
      (c == '.' && at_ + 1 < text_.size() &&
       std::isdigit(static_cast<unsigned char>(text_[at_ + 1])))) {
    return Number(std::move(token));
  }
  if (IsWord(c)) {
    token.kind = Token::Kind::kWord;
    while (at_ < text_.size() && IsWord(text_[at_])) token.text += text_[at_++];
    return token;
  }
  return Sign(std::move(token));
}

void Lexer::Skip() {
  while (at_ < text_.size()) {
    if (std::isspace(static_cast<unsigned char>(text_[at_]))) {
      ++at_;
    } else if (text_.substr(at_).starts_with("//")) {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else {
      return;
    }
  }
}

Token Lexer::Number(Token token) {
  token.kind = Token::Kind::kNumber;
  const auto more = [&] {
    const char c = text_[at_];
    const bool sign = (c == '+' || c == '-') &&
                      (token.text.ends_with('e') || token.text.ends_with('E')) &&
                      !token.text.starts_with("0x");
    return IsWord(c) || c == '.' || sign;
  };
  while (at_ < text_.size() && more()) token.text += text_[at_++];
  return token;
}

Token Lexer::Sign(Token token) {
  constexpr std::array<std::string_view, 6> kLong{"&&", "||", "==", "!=", "<=", ">="};
  token.kind = Token::Kind::kSign;
  for (const auto sign : kLong) {
    if (!text_.substr(at_).starts_with(sign)) continue;
    token.text = sign;
    at_ += sign.size();
    return token;
  }
  constexpr std::string_view kShort = "<>!()[]{},.:?+-*/%";
  if (kShort.find(text_[at_]) == kShort.npos) {
    throw Fault{at_ + 1, std::string("'") + text_[at_] + "' is not understood here"};
  }
  token.text = text_[at_++];
  return token;
}

Token Lexer::String(bool raw, Token token) {
  token.kind = Token::Kind::kString;
  if (raw) ++at_;
  std::string_view quote = text_.substr(at_, 1);
  const std::string three(3, quote[0]);
  if (text_.substr(at_).starts_with(three)) quote = text_.substr(at_, 3);
  at_ += quote.size();
  while (!text_.substr(at_).starts_with(quote)) {
    const bool open = at_ >= text_.size() || (quote.size() == 1 && text_[at_] == '\n');
    if (open) throw Fault{token.column, "this string has no end"};
    if (text_[at_] == '\\' && !raw) {
      Escape(token.text);
    } else {
      token.text += text_[at_++];
    }
  }
  at_ += quote.size();
  return token;
}

void Lexer::Escape(std::string& out) {
  constexpr std::string_view kLetters = "abfnrtv\\?\"'`";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\?\"'`";
  const std::size_t column = at_ + 1;
  ++at_;
  const char letter = at_ < text_.size() ? text_[at_] : '\0';
  if (const auto known = kLetters.find(letter); letter != '\0' && known != kLetters.npos) {
    out += kMeanings[known];
    ++at_;
    return;
  }
  const int digits = letter == 'x' || letter == 'X' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
  std::uint32_t code = 0;
  for (int i = 0; i < digits; ++i) {
    ++at_;
    const auto c = at_ < text_.size() ? static_cast<unsigned char>(text_[at_]) : '\0';
    if (!std::isxdigit(c)) throw Fault{column, "this escape is too short"};
    code = code * 16 +
           static_cast<std::uint32_t>(std::isdigit(c) ? c - '0' : std::tolower(c) - 'a' + 10);
  }
  if (digits == 0 || code > 0x10FFFF) throw Fault{column, "this escape is not known"};
  ++at_;
  out += Utf8(code);
}

}  // namespace vigia::collectors::probe::cel
