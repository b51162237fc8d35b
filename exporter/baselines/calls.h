// /api/vigia/v1/baselines: what baselines say, and what people decide about them.

#pragma once

#include "alerting/baseline/book.h"
#include "core/clock.h"
#include "exporter/http/router.h"

namespace vigia::exporter {

// Both outlive the routes.
void AddBaselineCalls(http::Router& router, alerting::baseline::Book& book, Clock& clock);

}  // namespace vigia::exporter
