// A Metric describes a family of series: what it is called, what it counts, in which unit.

#pragma once

#include <optional>
#include <string_view>

namespace vigia {

enum class MetricType { kUnknown, kCounter, kGauge, kHistogram, kSummary, kInfo, kStateSet };

// Describes a family. A collector owns its Metrics and keeps each at the same
// address for its whole life: a Batch recognises a metric by its address.
struct Metric {
  std::string_view name;
  std::string_view help;
  MetricType type = MetricType::kGauge;
  // A base unit ("seconds", "bytes"), which then ends the name; empty for none.
  std::string_view unit = {};
};

// The word of the text format 0.0.4: "untyped" for unknown; info and stateset are gauges there.
std::string_view TypeNameInText(MetricType type);
// The word of OpenMetrics 1.0: "unknown", "info", "stateset".
std::string_view TypeNameInOpenMetrics(MetricType type);
// Reads either spelling.
std::optional<MetricType> ParseMetricType(std::string_view word);

}  // namespace vigia
