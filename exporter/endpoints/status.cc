#include "exporter/endpoints/status.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "exporter/version.h"
#include "query/promql/functions/function.h"
#include "query/promql/syntax/token.h"

namespace vigia::exporter {
namespace {

using Json = nlohmann::ordered_json;

double Seconds(Timestamp time) { return static_cast<double>(time) / 1000; }

double Seconds(Milliseconds duration) { return static_cast<double>(duration.count()) / 1000; }

Json Describe(const collectors::InstanceState& state) {
  return {{"collector", state.id.collector},
          {"instance", state.id.name},
          {"up", state.up},
          {"has_run", state.has_run},
          {"interval_seconds", Seconds(state.interval)},
          {"duration_seconds", state.duration_seconds},
          {"last_success", Seconds(state.last_success)},
          {"last_run", Seconds(state.last_run)},
          {"series", state.series},
          {"dropped_series_total", state.dropped_series_total},
          {"failures_total", state.failures_total},
          {"timeouts_total", state.timeouts_total},
          {"last_error", state.last_error}};
}

// What no UTF-8 can hold is shown as a question mark: a source's words are not trusted.
std::string Write(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string StatusText(const StatusContext& context, Timestamp started,
                       const http::Request& request) {
  auto collectors = Json::array();
  auto interval = Milliseconds::max();
  for (const auto& state : context.states()) {
    collectors.push_back(Describe(state));
    interval = std::min(interval, state.interval);
  }
  if (collectors.empty()) interval = 15s;
  return Write({{"version", kVersion},
                {"time", Seconds(context.clock.Wall())},
                {"started", Seconds(started)},
                {"interval_seconds", Seconds(interval)},
                {"user", request.user},
                // Who reads over the network without a name may not change anything.
                {"may_change", !request.user.empty() || request.FromLoopback()},
                {"collectors", std::move(collectors)}});
}

// The words that the PromQL box completes.
std::string LanguageText() {
  auto functions = Json::array();
  for (const auto& function : promql::Functions()) functions.push_back(function.name);
  std::sort(functions.begin(), functions.end());
  functions.erase(std::unique(functions.begin(), functions.end()), functions.end());
  return Write(
      {{"functions", std::move(functions)},
       {"keywords",
        {"sum",    "avg",     "count",   "min",      "max",          "group",       "stddev",
         "stdvar", "topk",    "bottomk", "quantile", "count_values", "limitk",      "limit_ratio",
         "by",     "without", "on",      "ignoring", "group_left",   "group_right", "bool",
         "offset", "and",     "or",      "unless",   "atan2"}}});
}

}  // namespace

void AddStatus(http::Router& router, const StatusContext& context) {
  router.Get("/api/vigia/v1/status",
             [context, started = context.clock.Wall()](const http::Request& request) {
               return http::Response::Json(200, StatusText(context, started, request));
             });
  router.Get("/api/vigia/v1/language",
             [](const http::Request&) { return http::Response::Json(200, LanguageText()); });
}

}  // namespace vigia::exporter
