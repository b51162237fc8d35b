#include "core/config/yaml_text.h"

#include <algorithm>

#include "core/text/utf8.h"

namespace vigia::config {
namespace {

// The offset of the quote that closes the one at `begin`, or npos.
std::size_t ClosingQuote(std::string_view text, std::size_t begin) {
  const char quote = text[begin];
  for (std::size_t i = begin + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || i + 1 >= text.size() || text[i + 1] != '\'') return i;
      ++i;  // '' is a quote inside
    }
  }
  return std::string_view::npos;
}

std::string Hex(unsigned char byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  return {'0', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

}  // namespace

std::optional<TextFault> FindBadByte(std::string_view text) {
  const std::size_t utf8 = text::Utf8PrefixLength(text);
  for (std::size_t i = 0; i < utf8; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte != 0x7f) continue;
    if (byte == '\n' || byte == '\t') continue;
    if (byte == '\r') {
      if (i + 1 < text.size() && text[i + 1] == '\n') continue;
      return TextFault{i, "a carriage return without a newline; end lines with a newline"};
    }
    return TextFault{i, "a control character (" + Hex(byte) + "); this has to be a text file"};
  }
  if (utf8 == text.size()) return std::nullopt;
  return TextFault{utf8, "a byte that is not UTF-8 (" +
                             Hex(static_cast<unsigned char>(text[utf8])) +
                             "); save the file as UTF-8"};
}

YamlText::YamlText(std::string_view text) : text_(text), line_starts_{0} {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') line_starts_.push_back(i + 1);
  }
}

std::size_t YamlText::LineOf(std::size_t offset) const {
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  return static_cast<std::size_t>(after - line_starts_.begin()) - 1;
}

Position YamlText::At(std::size_t offset) const {
  offset = std::min(offset, text_.size());
  const std::size_t line = LineOf(offset);
  if (last_offset_ < line_starts_[line] || last_offset_ > offset) {
    last_offset_ = line_starts_[line];
    last_column_ = 1;
  }
  const auto between = text_.substr(last_offset_, offset - last_offset_);
  last_column_ += static_cast<int>(std::count_if(between.begin(), between.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
  last_offset_ = offset;
  return {static_cast<int>(line) + 1, last_column_};
}

std::optional<std::size_t> YamlText::TabBefore(std::size_t offset) const {
  offset = std::min(offset, text_.size());
  const std::size_t begin = line_starts_[LineOf(offset)];
  const auto before = text_.substr(begin, offset - begin);
  const std::size_t tab = before.find_first_not_of(' ');
  if (tab == before.npos || before[tab] != '\t') return std::nullopt;
  if (before.find_first_not_of(" \t") != before.npos) return std::nullopt;
  return begin + tab;
}

bool YamlText::IsFirstOnLine(std::size_t offset) const {
  offset = std::min(offset, text_.size());
  const std::size_t begin = line_starts_[LineOf(offset)];
  return text_.substr(begin, offset - begin).find_first_not_of(" \t") == std::string_view::npos;
}

std::size_t YamlText::SkipProperties(std::size_t offset) const {
  while (offset < text_.size()) {
    const char c = text_[offset];
    std::size_t next = offset;
    if (c == '!' || c == '&') {
      next = text_.find_first_of(" \t\r\n", offset);
    } else if (c == '#') {
      next = text_.find('\n', offset);
    } else {
      next = text_.find_first_not_of(" \t\r\n", offset);
      if (next == offset) return offset;
    }
    offset = std::min(next, text_.size());
  }
  return offset;
}

std::optional<TextFault> YamlText::CheckQuotes(std::size_t offset, int indent) const {
  const std::size_t begin = SkipProperties(offset);
  if (begin >= text_.size() || (text_[begin] != '"' && text_[begin] != '\'')) return std::nullopt;
  const std::string quote(1, text_[begin]);
  const std::size_t end = ClosingQuote(text_, begin);
  if (end == text_.npos) {
    return TextFault{begin, "the quote (" + quote + ") that opens here is never closed; close it " +
                                "where the value ends"};
  }
  for (std::size_t line = LineOf(begin) + 1; line <= LineOf(end); ++line) {
    const std::size_t start = line_starts_[line];
    const std::size_t first = text_.find_first_not_of(" \t\r", start);
    if (text_[first] == '\n' || static_cast<int>(first - start) > indent) continue;
    return TextFault{begin, "the quote (" + quote + ") that opens here is not closed before line " +
                                std::to_string(line + 1) + "; close it where the value ends, or " +
                                "indent the lines that belong to it"};
  }
  return std::nullopt;
}

}  // namespace vigia::config
