// Cuts a template into tokens, as Go's text/template/parse does: text outside of {{ }}, words
// inside.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vigia::alerting::templates {

struct Token {
  enum class Kind {
    kError,  // text is what is wrong; the last token
    kEnd,
    kText,
    kLeft,   // {{
    kRight,  // }}
    kSpace,
    kDot,
    kField,  // .name
    kVariable,
    kIdentifier,
    kKeyword,  // range, if, end, ... and nil
    kBool,
    kNumber,
    kCharacter,  // 'x'
    kString,     // "..."
    kRawString,  // `...`
    kDeclare,    // :=
    kAssign,
    kPipe,
    kLeftParen,
    kRightParen,
    kOther,  // any other printable character, such as a comma
  };

  Kind kind = Kind::kEnd;
  std::size_t position = 0;  // in bytes from the start
  int line = 1;
  std::string_view text;  // borrowed from the input
  std::string error;
};

// Ends with one token of kEnd or kError.
std::vector<Token> Tokenize(std::string_view input);

// A token as an error message shows it: `"}"`, `<end>`, `EOF`.
std::string Shown(const Token& token);

}  // namespace vigia::alerting::templates
