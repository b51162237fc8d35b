#include "alerting/templates/lexer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>

#include "alerting/templates/print.h"

namespace vigia::alerting::templates {
namespace {

using Kind = Token::Kind;

constexpr std::string_view kLeftDelimiter = "{{";
constexpr std::string_view kRightDelimiter = "}}";
constexpr std::string_view kSpaces = " \t\r\n";
constexpr std::array<std::string_view, 11> kKeywords{"block", "break",    "continue", "define",
                                                     "else",  "end",      "if",       "nil",
                                                     "range", "template", "with"};

bool IsSpace(char c) { return kSpaces.find(c) != kSpaces.npos; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
// Letters beyond ASCII count as letters, whichever they are.
bool IsWordCharacter(char c) {
  return c == '_' || std::isalnum(static_cast<unsigned char>(c)) || (c & 0x80) != 0;
}

class Lexer {
 public:
  explicit Lexer(std::string_view input) : input_(input) {}

  std::vector<Token> Run() {
    while (!failed_ && LexText()) {
      while (!failed_ && !at_right_) LexInside();
      at_right_ = false;
    }
    if (!failed_) Emit(Kind::kEnd);
    return std::move(tokens_);
  }

 private:
  char Peek(std::size_t ahead = 0) const {
    return at_ + ahead < input_.size() ? input_[at_ + ahead] : '\0';
  }
  bool AtEnd() const { return at_ >= input_.size(); }
  std::string_view Rest() const { return input_.substr(at_); }

  // Whether "}}" stands here, with its trim marker (" -}}") or without.
  bool AtRight() const { return AtTrimmedRight() || Rest().starts_with(kRightDelimiter); }
  bool AtTrimmedRight() const {
    return IsSpace(Peek()) && Peek(1) == '-' && Rest().substr(2).starts_with(kRightDelimiter);
  }

  void Emit(Kind kind) {
    const auto text = input_.substr(start_, at_ - start_);
    tokens_.push_back({kind, start_, line_, text, {}});
    Skip();
  }
  // Leaves out what stands between start_ and at_.
  void Skip() {
    line_ += static_cast<int>(std::count(input_.begin() + static_cast<std::ptrdiff_t>(start_),
                                         input_.begin() + static_cast<std::ptrdiff_t>(at_), '\n'));
    start_ = at_;
  }
  void Fail(std::string what) {
    tokens_.push_back({Kind::kError, start_, line_, {}, std::move(what)});
    failed_ = true;
  }

  // Text up to the next action; false at the end of the input.
  bool LexText() {
    const auto left = input_.find(kLeftDelimiter, at_);
    const auto end = std::min(left, input_.size());
    const bool trim = left != input_.npos && input_.substr(left + 2).starts_with('-') &&
                      left + 3 < input_.size() && IsSpace(input_[left + 3]);
    at_ = end;
    if (trim) {
      while (at_ > start_ && IsSpace(input_[at_ - 1])) --at_;
    }
    if (at_ > start_) Emit(Kind::kText);
    at_ = end;
    Skip();
    if (left == input_.npos) return false;
    LexLeft(trim);
    return true;
  }

  void LexLeft(bool trim) {
    const std::size_t after = at_ + 2 + (trim ? 2 : 0);
    if (input_.substr(after).starts_with("/*")) {
      at_ = after;
      Skip();
      LexComment();
      return;
    }
    at_ += 2;
    Emit(Kind::kLeft);
    at_ = after;
    Skip();
    parens_ = 0;
  }

  void LexComment() {
    const auto end = input_.find("*/", at_ + 2);
    if (end == input_.npos) return Fail("unclosed comment");
    at_ = end + 2;
    if (!AtRight()) return Fail("comment ends before closing delimiter");
    LexRight(false);
  }

  void LexRight(bool emit) {
    const bool trim = AtTrimmedRight();
    if (trim) {
      at_ += 2;
      Skip();
    }
    at_ += kRightDelimiter.size();
    if (emit) {
      Emit(Kind::kRight);
    }
    while (trim && IsSpace(Peek())) ++at_;
    Skip();
    at_right_ = true;
  }

  void LexInside() {
    if (AtRight()) return parens_ == 0 ? LexRight(true) : Fail("unclosed left paren");
    if (AtEnd()) return Fail("unclosed action");
    const char c = Peek();
    if (IsSpace(c)) return LexSpace();
    if (c == '"') return LexQuoted('"', Kind::kString, "unterminated quoted string");
    if (c == '\'') return LexQuoted('\'', Kind::kCharacter, "unterminated character constant");
    if (c == '`') return LexRaw();
    if (c == '$') return LexWord(Kind::kVariable);
    if (c == '.' && !IsDigit(Peek(1))) return LexWord(Kind::kField);
    if (c == '.' || c == '+' || c == '-' || IsDigit(c)) return LexNumber();
    if (IsWordCharacter(c)) return LexIdentifier();
    LexSign(c);
  }

  void LexSign(char c) {
    ++at_;
    switch (c) {
      case '=':
        return Emit(Kind::kAssign);
      case ':':
        if (Peek() != '=') return Fail("expected :=");
        ++at_;
        return Emit(Kind::kDeclare);
      case '|':
        return Emit(Kind::kPipe);
      case '(':
        ++parens_;
        return Emit(Kind::kLeftParen);
      case ')':
        if (--parens_ < 0) return Fail("unexpected right paren");
        return Emit(Kind::kRightParen);
      default:
        break;
    }
    if (c > ' ' && c < 0x7F) return Emit(Kind::kOther);
    std::array<char, 16> code{};
    std::snprintf(code.data(), code.size(), "U+%04X", static_cast<unsigned char>(c));
    Fail("unrecognized character in action: " + std::string(code.data()));
  }

  void LexSpace() {
    while (IsSpace(Peek()) && !AtTrimmedRight()) ++at_;
    Emit(Kind::kSpace);
  }

  void LexQuoted(char quote, Kind kind, const char* unterminated) {
    for (++at_;; ++at_) {
      if (AtEnd() || Peek() == '\n') return Fail(unterminated);
      if (Peek() == '\\') {
        ++at_;
        if (AtEnd() || Peek() == '\n') return Fail(unterminated);
      } else if (Peek() == quote) {
        break;
      }
    }
    ++at_;
    Emit(kind);
  }

  void LexRaw() {
    const auto end = input_.find('`', at_ + 1);
    if (end == input_.npos) return Fail("unterminated raw quoted string");
    at_ = end + 1;
    Emit(Kind::kRawString);
  }

  // `.name`, `$name`, or the dot or the dollar alone.
  void LexWord(Kind kind) {
    ++at_;
    while (IsWordCharacter(Peek())) ++at_;
    if (!AtTerminator()) return FailAtCharacter();
    Emit(kind == Kind::kField && at_ - start_ == 1 ? Kind::kDot : kind);
  }

  void LexIdentifier() {
    while (IsWordCharacter(Peek())) ++at_;
    if (!AtTerminator()) return FailAtCharacter();
    const auto word = input_.substr(start_, at_ - start_);
    if (word == "true" || word == "false") return Emit(Kind::kBool);
    const bool keyword = std::find(kKeywords.begin(), kKeywords.end(), word) != kKeywords.end();
    Emit(keyword ? Kind::kKeyword : Kind::kIdentifier);
  }

  bool AtTerminator() const {
    return AtEnd() || IsSpace(Peek()) ||
           std::string_view(".,|:)(").find(Peek()) != std::string_view::npos ||
           Rest().starts_with(kRightDelimiter);
  }
  void FailAtCharacter() {
    std::array<char, 32> shown{};
    std::snprintf(shown.data(), shown.size(), "bad character U+%04X '%c'",
                  static_cast<unsigned char>(Peek()), Peek());
    Fail(shown.data());
  }

  void LexNumber() {
    if (Peek() == '+' || Peek() == '-') ++at_;
    const bool hexadecimal = Peek() == '0' && (Peek(1) == 'x' || Peek(1) == 'X');
    for (;; ++at_) {
      const char c = Peek();
      const char before = at_ > start_ ? input_[at_ - 1] : '\0';
      const bool exponent =
          hexadecimal ? before == 'p' || before == 'P' : before == 'e' || before == 'E';
      if ((c == '+' || c == '-') && exponent && at_ > start_ + 1) continue;
      if (!IsWordCharacter(c) && c != '.') break;
    }
    Emit(Kind::kNumber);
  }

  const std::string_view input_;
  std::vector<Token> tokens_;
  std::size_t start_ = 0;  // of the token that is being read
  std::size_t at_ = 0;
  int line_ = 1;  // at start_
  int parens_ = 0;
  bool at_right_ = false;  // the action or comment is over
  bool failed_ = false;
};

}  // namespace

std::vector<Token> Tokenize(std::string_view input) { return Lexer(input).Run(); }

std::string Shown(const Token& token) {
  if (token.kind == Kind::kEnd) return "EOF";
  if (token.kind == Kind::kError) return token.error;
  if (token.kind == Kind::kKeyword) return "<" + std::string(token.text) + ">";
  if (token.text.size() > 10) return Quote(token.text.substr(0, 10)) + "...";
  return Quote(token.text);
}

}  // namespace vigia::alerting::templates
