// What routing and delivery say of themselves, as a collector.

#pragma once

#include <memory>
#include <span>

#include "alerting/dispatch/dispatcher.h"
#include "alerting/outbox/outbox.h"
#include "collectors/collector.h"

namespace vigia::routing {

std::span<const Metric> AlertingMetrics();

// Both outlive the collector.
std::unique_ptr<collectors::Collector> MakeAlertingCollector(
    const alerting::dispatch::Dispatcher& dispatcher, const alerting::outbox::Outbox& outbox);

}  // namespace vigia::routing
