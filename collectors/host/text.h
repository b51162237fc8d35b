// Scanning of /proc and /sys text without copies.

#pragma once

#include <charconv>
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

// The whole of `text` as a number of the kernel's; nothing if it is not one or does not fit.
template <typename T = std::uint64_t>
std::optional<T> ParseNumber(std::string_view text, int base = 10) {
  T value{};
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value, base);
  if (error != std::errc() || end != last) return std::nullopt;
  return value;
}

// A name of the kernel's as part of a metric's: "Active(anon)" becomes "Active_anon".
inline std::string MetricNamePart(std::string_view name) {
  std::string part;
  for (const char c : name) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (c != ')') part += fits ? c : '_';
  }
  return part;
}

// A number as text, for a label value: Decimal(7) converts to "7".
class Decimal {
 public:
  explicit Decimal(std::uint64_t number)
      : end_(std::to_chars(digits_, digits_ + sizeof digits_, number).ptr) {}
  Decimal(const Decimal&) = delete;
  Decimal& operator=(const Decimal&) = delete;

  // Valid as long as this object.
  operator std::string_view() const { return {digits_, end_}; }

 private:
  char digits_[20];
  const char* end_;
};

// The error of a file whose content is not what the kernel documents.
inline Error Malformed(const std::filesystem::path& path, std::string_view what) {
  return {ErrorCode::kCorrupt, path.string() + ": " + std::string(what)};
}

inline Error NotANumber(const std::filesystem::path& path, std::string_view text) {
  return Malformed(path, "'" + std::string(text) + "' is not a number");
}

}  // namespace vigia::collectors::host
