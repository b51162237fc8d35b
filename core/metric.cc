#include "core/metric.h"

namespace vigia {

std::string_view TypeNameInText(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kHistogram:
      return "histogram";
    case MetricType::kSummary:
      return "summary";
    case MetricType::kGauge:
    case MetricType::kInfo:
    case MetricType::kStateSet:
      return "gauge";
    case MetricType::kUnknown:
      break;
  }
  return "untyped";
}

std::string_view TypeNameInOpenMetrics(MetricType type) {
  switch (type) {
    case MetricType::kUnknown:
      return "unknown";
    case MetricType::kInfo:
      return "info";
    case MetricType::kStateSet:
      return "stateset";
    default:
      return TypeNameInText(type);
  }
}

std::optional<MetricType> ParseMetricType(std::string_view word) {
  if (word == "counter") return MetricType::kCounter;
  if (word == "gauge") return MetricType::kGauge;
  if (word == "histogram" || word == "gaugehistogram") return MetricType::kHistogram;
  if (word == "summary") return MetricType::kSummary;
  if (word == "info") return MetricType::kInfo;
  if (word == "stateset") return MetricType::kStateSet;
  if (word == "unknown" || word == "untyped") return MetricType::kUnknown;
  return std::nullopt;
}

}  // namespace vigia
