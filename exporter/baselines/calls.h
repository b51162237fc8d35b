// /api/vigia/v1/baselines: what baselines say, and what people decide about them.

#pragma once

#include "alerting/baseline/book.h"
#include "exporter/http/router.h"

namespace vigia::exporter {

// `book` outlives the routes.
void AddBaselineCalls(http::Router& router, alerting::baseline::Book& book);

}  // namespace vigia::exporter
