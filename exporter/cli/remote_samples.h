// Fetches raw samples from a Prometheus-compatible API.

#pragma once

#include <string>

#include "core/http_client.h"
#include "query/promql/memory_source.h"

namespace vigia::exporter::cli {

// All samples of the series that `selector` chooses in (from, to], put into `out`. The API tells no
// stale markers.
Status FetchSamples(HttpClient& client, const std::string& url, const std::string& selector,
                    TimeRange range, promql::MemorySource& out);

}  // namespace vigia::exporter::cli
