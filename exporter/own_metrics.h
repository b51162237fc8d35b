// The metrics that vigia's parts count in a prometheus::Registry: their names and help texts, for
// those who register them and for `vigia metrics`.

#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <array>
#include <string>

#include "core/metric.h"

namespace vigia::exporter {

inline constexpr Metric kHttpRequests{
    "vigia_http_requests_total", "HTTP requests that were answered, by handler and status code.",
    MetricType::kCounter};
inline constexpr Metric kHttpDuration{
    "vigia_http_request_duration_seconds",
    "Time from a request's head to the end of its answer, by handler.", MetricType::kHistogram,
    "seconds"};
inline constexpr Metric kReloadSuccessful{
    "vigia_config_last_reload_successful",
    "Whether the last attempt to load the configuration succeeded."};
inline constexpr Metric kReloadTime{"vigia_config_last_reload_success_timestamp_seconds",
                                    "When the configuration was last loaded, in Unix time.",
                                    MetricType::kGauge, "seconds"};
inline constexpr Metric kReceiverRequests{"vigia_receiver_requests_total",
                                          "Remote write requests and imports that were read.",
                                          MetricType::kCounter};
inline constexpr Metric kReceiverStored{"vigia_receiver_samples_stored_total",
                                        "Samples that others sent and the history took.",
                                        MetricType::kCounter};
inline constexpr Metric kReceiverDuplicate{"vigia_receiver_samples_duplicate_total",
                                           "Samples that others sent again.", MetricType::kCounter};
inline constexpr Metric kReceiverRefused{"vigia_receiver_samples_refused_total",
                                         "Samples that others sent and the history could not take.",
                                         MetricType::kCounter};
inline constexpr Metric kReceiverMalformed{
    "vigia_receiver_requests_malformed_total",
    "Remote write requests and imports that could not be read.", MetricType::kCounter};

inline constexpr std::array kOwnMetrics{kHttpRequests,      kHttpDuration,     kReloadSuccessful,
                                        kReloadTime,        kReceiverRequests, kReceiverStored,
                                        kReceiverDuplicate, kReceiverRefused,  kReceiverMalformed};

// A counter or gauge without labels. `metric` is one of the above.
inline prometheus::Counter& AddCounter(prometheus::Registry& registry, const Metric& metric) {
  return prometheus::BuildCounter()
      .Name(std::string(metric.name))
      .Help(std::string(metric.help))
      .Register(registry)
      .Add({});
}

inline prometheus::Gauge& AddGauge(prometheus::Registry& registry, const Metric& metric) {
  return prometheus::BuildGauge()
      .Name(std::string(metric.name))
      .Help(std::string(metric.help))
      .Register(registry)
      .Add({});
}

}  // namespace vigia::exporter
