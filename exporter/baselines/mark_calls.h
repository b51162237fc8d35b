// POST /api/vigia/v1/events: what people declare.

#pragma once

#include "core/clock.h"
#include "exporter/baselines/marks.h"
#include "exporter/http/router.h"

namespace vigia::exporter {

// `marks` and `clock` outlive the routes.
void AddMarkCalls(http::Router& router, Marks& marks, Clock& clock);

}  // namespace vigia::exporter
