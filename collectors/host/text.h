// Scanning of /proc and /sys text without copies.

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vigia::collectors::host {

inline bool IsBlank(char c) { return c == ' ' || c == '\t'; }

// The words of one line, left to right; empty once there is none.
class Fields {
 public:
  explicit Fields(std::string_view line) : rest_(line) {}

  std::string_view Next() {
    std::size_t begin = 0;
    while (begin < rest_.size() && (IsBlank(rest_[begin]) || rest_[begin] == '\n')) ++begin;
    std::size_t end = begin;
    while (end < rest_.size() && !IsBlank(rest_[end]) && rest_[end] != '\n') ++end;
    const auto field = rest_.substr(begin, end - begin);
    rest_.remove_prefix(end);
    return field;
  }

  // What has not been read yet.
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

// The lines of a text, without their newlines.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  std::optional<std::string_view> Next() {
    if (rest_.empty()) return std::nullopt;
    const std::size_t end = rest_.find('\n');
    const auto line = rest_.substr(0, end);
    rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 1);
    return line;
  }

 private:
  std::string_view rest_;
};

inline std::string_view Trim(std::string_view text) {
  while (!text.empty() && (IsBlank(text.front()) || text.front() == '\n')) text.remove_prefix(1);
  while (!text.empty() && (IsBlank(text.back()) || text.back() == '\n')) text.remove_suffix(1);
  return text;
}

// The error of a file whose content is not what the kernel documents.
inline Error Malformed(const std::filesystem::path& path, std::string_view what) {
  return {ErrorCode::kCorrupt, path.string() + ": " + std::string(what)};
}

}  // namespace vigia::collectors::host
