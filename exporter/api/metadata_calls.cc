// metadata and targets: what is known of the metrics, and where they come from.

#include <map>
#include <set>

#include "core/text/json.h"
#include "exporter/api/answer.h"
#include "exporter/api/calls.h"
#include "exporter/api/parameters.h"
#include "query/promql/format.h"

namespace vigia::api {
namespace {

using text::JsonWriter;

struct Description {
  std::string_view type;
  std::string_view help;
  std::string_view unit;

  friend auto operator<=>(const Description&, const Description&) = default;
};

// Of everything that the last readings hold, and that others have `sent`. Borrowed from both.
std::map<std::string_view, std::set<Description>> Describe(
    const Snapshot& snapshot, const std::vector<MetricDescription>& sent, std::string_view wanted) {
  std::map<std::string_view, std::set<Description>> all;
  for (const auto& [name, type, help, unit] : sent) all[name].insert({type, help, unit});
  for (const auto& entry : snapshot.entries) {
    for (const auto& [family, values, times] : entry.reading->families) {
      if (!wanted.empty() && family->head().name != wanted) continue;
      all[family->head().name].insert(
          {TypeNameInOpenMetrics(family->head().type), family->head().help, family->head().unit});
    }
  }
  return all;
}

http::Response Metadata(const ApiContext& context, const http::Request& request) {
  const auto limit = LimitParameter(request, "limit");
  if (!limit) return Failure(limit.error());
  const auto per_metric = LimitParameter(request, "limit_per_metric");
  if (!per_metric) return Failure(per_metric.error());
  const auto metric = request.Parameter("metric");
  const auto snapshot = context.scheduler.Current();
  const auto sent = context.metadata.Get(metric);
  std::string data;
  JsonWriter json(data);
  json.BeginObject();
  std::size_t count = 0;
  for (const auto& [name, descriptions] : Describe(snapshot, sent, metric)) {
    if (*limit != 0 && count++ == *limit) break;
    json.Key(name).BeginArray();
    std::size_t listed = 0;
    for (const auto& [type, help, unit] : descriptions) {
      if (*per_metric != 0 && listed++ == *per_metric) break;
      json.BeginObject();
      json.Field("type", type).Field("help", help).Field("unit", unit);
      json.EndObject();
    }
    json.EndArray();
  }
  json.EndObject();
  return Success(request, data);
}

// A collector in the shape of a scrape target.
void WriteTarget(JsonWriter& json, const collectors::InstanceState& state) {
  const auto write_labels = [&](std::string_view key, std::string_view job,
                                std::string_view instance) {
    json.Key(key).BeginObject();
    json.Field(job, state.id.collector).Field(instance, state.id.name);
    json.EndObject();
  };
  json.BeginObject();
  write_labels("discoveredLabels", "__collector__", "__name__");
  write_labels("labels", "collector", "instance");
  json.Field("scrapePool", state.id.collector);
  json.Field("scrapeUrl", "").Field("globalUrl", "");
  json.Field("lastError", state.last_error);
  json.Field("lastScrape", promql::FormatRfc3339(state.last_run));
  json.Key("lastScrapeDuration").Number(state.duration_seconds);
  json.Field("health", !state.has_run ? "unknown" : state.up ? "up" : "down");
  json.Field("scrapeInterval", FormatDuration(state.interval));
  json.Field("scrapeTimeout", FormatDuration(state.timeout));
  json.EndObject();
}

http::Response Targets(const ApiContext& context, const http::Request& request) {
  const auto wanted = request.Parameter("state");
  const auto pool = request.Parameter("scrapePool");
  std::string data;
  JsonWriter json(data);
  json.BeginObject().Key("activeTargets").BeginArray();
  if (wanted != "dropped") {
    for (const auto& state : context.scheduler.States()) {
      if (pool.empty() || pool == state.id.collector) WriteTarget(json, state);
    }
  }
  json.EndArray();
  json.Key("droppedTargets").BeginArray().EndArray();
  json.Key("droppedTargetCounts").BeginObject().EndObject();
  json.EndObject();
  return Success(request, data);
}

}  // namespace

void AddMetadataCalls(http::Router& router, const ApiContext& context) {
  router.Get("/api/v1/metadata",
             [context](const auto& request) { return Metadata(context, request); });
  router.Get("/api/v1/targets",
             [context](const auto& request) { return Targets(context, request); });
}

}  // namespace vigia::api
