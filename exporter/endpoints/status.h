// What the live page asks at every poll: the server's clock, who is asking, every collector.

#pragma once

#include <functional>
#include <vector>

#include "collectors/scheduler.h"
#include "core/clock.h"
#include "exporter/http/router.h"

namespace vigia::exporter {

struct StatusContext {
  const Clock& clock;
  std::function<std::vector<collectors::InstanceState>()> states;
};

// GET /api/vigia/v1/status and /api/vigia/v1/language (docs/api.md). The context's parts outlive
// the server.
void AddStatus(http::Router& router, const StatusContext& context);

}  // namespace vigia::exporter
