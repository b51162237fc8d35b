#pragma once

#include "core/clock.h"
#include "exporter/own_metrics.h"

namespace vigia::exporter {

// What reloads of the configuration say of themselves. Thread-safe.
class ReloadMetrics {
 public:
  explicit ReloadMetrics(prometheus::Registry& registry)
      : successful_(AddGauge(registry, kReloadSuccessful)),
        time_(AddGauge(registry, kReloadTime)) {}

  void Failed() { successful_.Set(0); }
  void Succeeded() {
    successful_.Set(1);
    time_.Set(static_cast<double>(SystemClock().Wall()) / 1000);
  }

 private:
  prometheus::Gauge& successful_;
  prometheus::Gauge& time_;
};

}  // namespace vigia::exporter
