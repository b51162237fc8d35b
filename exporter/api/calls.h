// The calls of the API, a file for each kind.

#pragma once

#include "exporter/api/api.h"

namespace vigia::api {

// query, query_range, query_exemplars, and many of the first two at once.
void AddQueryCalls(http::Router& router, const ApiContext& context);
// /api/vigia/v1/queries; `instant` and `range` answer each query.
void AddBatchCall(http::Router& router, Clock& clock, http::Handler instant, http::Handler range);
// format_query, parse_query.
void AddLanguageCalls(http::Router& router, const ApiContext& context);
// series, labels, label/{name}/values.
void AddSeriesCalls(http::Router& router, const ApiContext& context);
// metadata, targets.
void AddMetadataCalls(http::Router& router, const ApiContext& context);
// status/...
void AddStatusCalls(http::Router& router, const ApiContext& context);

// GET and POST form, as Grafana wants it.
void AddCall(http::Router& router, const std::string& path, const http::Handler& handler);

}  // namespace vigia::api
