// What the calls about alerts stand on; all of it outlives the router.

#pragma once

#include "alerting/dispatch/dispatcher.h"
#include "alerting/outbox/outbox.h"
#include "alerting/state/journal.h"
#include "core/clock.h"
#include "exporter/http/router.h"

namespace vigia::routing {

struct RoutingContext {
  Clock& clock;
  alerting::state::Journal& journal;
  // Made at the first configuration, before the server starts.
  std::function<alerting::dispatch::Dispatcher&()> dispatcher;
  std::function<alerting::outbox::Outbox&()> outbox;
  // What the rules know of alerts that fit, a JSON array.
  std::function<std::string(const alerting::route::Matchers&)> rules;
  Timestamp started = 0;
};

// Alertmanager's API v2: amtool, Grafana's Alertmanager data source and Prometheus
// (`alerting.alertmanagers`) work against it.
void AddAlertmanagerApi(http::Router& router, const RoutingContext& context);

// vigia's own: acknowledgements, events, explain, notifications that wait or died.
void AddAlertingApi(http::Router& router, const RoutingContext& context);

}  // namespace vigia::routing
