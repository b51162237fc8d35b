#include "core/config/diagnostics.h"

#include <algorithm>

#include "core/text/utf8.h"

namespace vigia::config {
namespace {

// Optimal string alignment distance: insert, delete, replace, swap neighbours.
std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      d[i][j] =
          std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

// A file may hold anything, also what would garble a terminal.
std::string Printable(std::string_view text) {
  constexpr std::size_t kLongest = 600;
  constexpr std::string_view kDigits = "0123456789abcdef";
  const bool cut = text.size() > kLongest;
  if (cut) text = text.substr(0, text::Utf8PrefixLength(text.substr(0, kLongest)));
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out += c;
    }
  }
  if (cut) out += "...";
  return out;
}

}  // namespace

void Diagnostics::Add(Position where, std::string_view what) {
  constexpr std::size_t kMostLines = 200;
  if (lines_.size() == kMostLines) {
    ++not_kept_;
    return;
  }
  std::string text = file_;
  if (where.line > 0) {
    text += ':' + std::to_string(where.line) + ':' + std::to_string(where.column);
  }
  text += ": ";
  text += Printable(what);
  lines_.push_back({where, std::move(text)});
}

std::vector<std::string> Diagnostics::Lines() const {
  auto sorted = lines_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Line& a, const Line& b) { return a.where < b.where; });
  std::vector<std::string> lines;
  for (auto& line : sorted) lines.push_back(std::move(line.text));
  if (not_kept_ > 0) {
    lines.push_back(file_ + ": and " + std::to_string(not_kept_) + " more faults");
  }
  return lines;
}

std::string Diagnostics::ToString() const {
  std::string out;
  for (const auto& line : Lines()) out += line + '\n';
  return out;
}

std::string_view Nearest(std::string_view word, std::span<const std::string_view> known) {
  constexpr std::size_t kLongest = 64;  // a key beyond it is no typing mistake
  if (word.size() > kLongest) return {};
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const auto candidate : known) {
    const std::size_t distance = EditDistance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace vigia::config
