// Prometheus' HTTP API over vigia's history, so that Grafana, promtool and people's scripts find
// what they know. Parameters, envelopes, error texts and codes are Prometheus'; docs/api.md lists
// the calls. Handlers are thread-safe.

#pragma once

#include <filesystem>

#include "collectors/scheduler.h"
#include "core/clock.h"
#include "core/duration.h"
#include "exporter/api/metadata_store.h"
#include "exporter/http/router.h"
#include "query/history/history.h"
#include "query/promql/engine.h"

namespace vigia::api {

// What the API stands on; all of it outlives the router.
struct ApiContext {
  history::History& history;
  const promql::Engine& engine;
  const MetadataStore& metadata;
  std::size_t max_concurrency = 20;  // queries evaluated at once; more wait for their turn
  Clock& clock;
  const collectors::Scheduler& scheduler;
  std::filesystem::path config_file;  // empty: none
  Timestamp started = 0;
  Milliseconds retention{};
};

void AddApi(http::Router& router, const ApiContext& context);

}  // namespace vigia::api
