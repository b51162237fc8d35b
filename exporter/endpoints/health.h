// GET /health: whether what the application needs is there, from the last probes, for load
// balancers and people.
//
//     {"database":{"status":"healthy","response_time":1.23,"message":"..."},"cache":{...},
//      "external_services":{"api":{...}},"overall_status":"healthy","timestamp":"...",...}
//
// 200 if all that is configured is healthy, else 503.

#pragma once

#include "collectors/scheduler.h"
#include "core/clock.h"
#include "exporter/http/router.h"

namespace vigia::exporter {

struct HealthOptions {
  // Older findings count as unknown; 0: two intervals and a timeout of their collector.
  Milliseconds max_age{0};
  // Whether only authenticated clients see more than the overall status.
  bool private_details = false;
};

// What is known, as one answer. `version` stands in it.
http::Response HealthAnswer(const Snapshot& snapshot,
                            const std::vector<collectors::InstanceState>& states, Timestamp now,
                            const HealthOptions& options, bool details);

void AddHealth(http::Router& router, collectors::Scheduler& scheduler, const Clock& clock,
               const HealthOptions& options);

// Whether each of these addresses to listen on is of this machine alone.
bool OnlyLoopback(const std::vector<std::string>& listen);

}  // namespace vigia::exporter
