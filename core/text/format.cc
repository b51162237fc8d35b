#include "core/text/format.h"

#include <algorithm>

namespace vigia::text {

std::optional<Format> FormatOfContentType(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  const auto begin = type.find_first_not_of(" \t");
  if (begin == type.npos) return std::nullopt;
  type = type.substr(begin, type.find_last_not_of(" \t") + 1 - begin);
  const auto is = [&](std::string_view lower) {
    return std::equal(type.begin(), type.end(), lower.begin(), lower.end(), [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? static_cast<char>(a | 0x20) : a) == b;
    });
  };
  if (is("application/openmetrics-text")) return Format::kOpenMetrics;
  if (is("text/plain")) return Format::kText;
  return std::nullopt;
}

}  // namespace vigia::text
