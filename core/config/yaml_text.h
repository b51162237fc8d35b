// The text of a YAML file below its grammar: bytes, places, quotes.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/node.h"

namespace vigia::config {

struct TextFault {
  std::size_t offset = 0;
  std::string what;
};

// The first byte that no YAML file holds: not UTF-8, NUL and other control characters, a
// carriage return without a newline.
std::optional<TextFault> FindBadByte(std::string_view text);

// Knows where the lines of a text begin. Borrows the text. Not thread-safe.
class YamlText {
 public:
  explicit YamlText(std::string_view text);

  std::string_view text() const { return text_; }
  // Columns count characters, as editors do, not bytes. An offset past the end is the end.
  Position At(std::size_t offset) const;
  // The first tab in the indentation of the line around `offset`, if that reaches up to it.
  std::optional<std::size_t> TabBefore(std::size_t offset) const;
  bool IsFirstOnLine(std::size_t offset) const;
  // Where a node's content begins, after its `!tag` and `&anchor`.
  std::size_t SkipProperties(std::size_t offset) const;
  // What is wrong with the quotes of the scalar at `offset`, whose lines have to be indented
  // further than `indent` columns (-1 at the top): never closed, or closed by the quote of
  // another value. Nothing for a scalar without quotes.
  std::optional<TextFault> CheckQuotes(std::size_t offset, int indent) const;

 private:
  // The index of the line that holds `offset`.
  std::size_t LineOf(std::size_t offset) const;

  const std::string_view text_;
  std::vector<std::size_t> line_starts_;
  // Where At() was asked last, and its column: a whole file may be one line, and counting from
  // its start each time would take quadratic time.
  mutable std::size_t last_offset_ = 0;
  mutable int last_column_ = 1;
};

}  // namespace vigia::config
