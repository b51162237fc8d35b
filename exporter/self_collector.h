// What vigia says of itself: its process, its collectors, and the metrics that its parts keep
// in a prometheus-cpp registry.

#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "collectors/collector.h"
#include "collectors/scheduler.h"

namespace prometheus {
class Registry;
}

namespace vigia::exporter {

// `states` is asked in every run; both arguments outlive the collector.
std::unique_ptr<collectors::Collector> MakeSelfCollector(
    prometheus::Registry& registry, std::function<std::vector<collectors::InstanceState>()> states);

}  // namespace vigia::exporter
