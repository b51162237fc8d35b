// The two text formats in which metrics travel.

#pragma once

#include <optional>
#include <string_view>

namespace vigia::text {

enum class Format {
  kText,         // Prometheus text format 0.0.4
  kOpenMetrics,  // OpenMetrics 1.0 (and 0.0.1, which reads the same)
};

// The format that a Content-Type header names ("application/openmetrics-text; version=1.0.0"),
// nothing where it names neither.
std::optional<Format> FormatOfContentType(std::string_view content_type);

}  // namespace vigia::text
