// The pages and calls that vigia answers.

#pragma once

#include <functional>

#include "collectors/scheduler.h"
#include "core/result.h"
#include "exporter/http/router.h"
#include "exporter/page/cache.h"

namespace vigia::exporter {

struct EndpointContext {
  collectors::Scheduler& scheduler;
  PageCache& pages;
  std::function<Status()> reload;
  std::function<bool()> ready;
  // What is kept in memory alone because the disk does not take it, a line each; empty if nothing.
  std::function<std::string()> at_risk;
};

// Adds all routes. What `context` refers to outlives the router.
void AddEndpoints(http::Router& router, const EndpointContext& context);

}  // namespace vigia::exporter
