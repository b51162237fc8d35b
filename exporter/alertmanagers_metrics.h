// What `alerting.alertmanagers` says of itself.

#pragma once

#include <memory>
#include <span>

#include "alerting/deliver/alertmanagers.h"
#include "collectors/collector.h"

namespace vigia::exporter {

std::span<const Metric> AlertmanagersMetrics();

// `alertmanagers` outlives it.
std::unique_ptr<collectors::Collector> MakeAlertmanagersCollector(
    const alerting::deliver::Alertmanagers& alertmanagers);

}  // namespace vigia::exporter
