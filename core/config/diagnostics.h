// What is wrong with a file, one line per fault: `file:line:column: what, and what would be right`.

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/node.h"

namespace vigia::config {

// Keeps a bounded number of faults and counts the rest. Not thread-safe.
class Diagnostics {
 public:
  explicit Diagnostics(std::string file) : file_(std::move(file)) {}

  // `what` becomes one printable line: control characters are escaped, a long text is cut.
  void Add(Position where, std::string_view what);

  bool ok() const { return lines_.empty(); }
  const std::string& file() const { return file_; }
  // In file order.
  std::vector<std::string> Lines() const;
  // All lines, each ended by a newline.
  std::string ToString() const;

 private:
  struct Line {
    Position where;
    std::string text;
  };

  const std::string file_;
  std::vector<Line> lines_;
  std::size_t not_kept_ = 0;
};

// The known word that `word` was most likely meant to be, or empty where none is near
// (Damerau-Levenshtein distance of at most a third of the length).
std::string_view Nearest(std::string_view word, std::span<const std::string_view> known);

}  // namespace vigia::config
