#include "exporter/endpoints/endpoints.h"

#include <memory>

#include "core/clock.h"
#include "core/number.h"
#include "exporter/endpoints/status.h"
#include "exporter/page/filter.h"
#include "exporter/page/gzip.h"
#include "exporter/page/negotiate.h"
#include "exporter/web/assets.h"

namespace vigia::exporter {
namespace {

using http::Request;
using http::Response;

PageFilter ReadFilter(const Request& request) {
  PageFilter filter;
  filter.collect = request.ParameterList("collect[]");
  filter.exclude = request.ParameterList("exclude[]");
  filter.names = request.ParameterList("name[]");
  filter.target = request.Parameter("target");
  return filter;
}

// Half of what the scraper says it will wait: the other half is for its network.
Milliseconds ScrapeWait(const Request& request) {
  const auto seconds = ParseDouble(request.Header("x-prometheus-scrape-timeout-seconds"));
  if (!seconds || !(*seconds > 0) || *seconds > 3600) return Milliseconds::max();
  return Milliseconds(static_cast<std::int64_t>(*seconds * 500));
}

Response Metrics(const EndpointContext& context, const Request& request) {
  const auto filter = ReadFilter(request);
  const auto wanted = Negotiate(request.Header("accept"), request.Header("accept-encoding"));
  collectors::Scheduler::Filter chosen;
  if (!filter.empty()) chosen = [&](const InstanceId& id) { return filter.Shows(id); };
  const auto snapshot = context.scheduler.Scrape(chosen, ScrapeWait(request));

  Response response;
  response.headers = {{"content-type", wanted.content_type}, {"vary", "Accept, Accept-Encoding"}};
  const bool gzip = wanted.encoding == Encoding::kGzip;
  if (filter.empty()) {
    response.shared_body = context.pages.Get(snapshot, wanted.style, wanted.encoding);
  } else {
    response.body = RenderFiltered(snapshot, filter, wanted.style);
    if (gzip) response.body = GzipCompressor().Compress(response.body);
  }
  if (gzip) response.headers.emplace_back("content-encoding", "gzip");
  return response;
}

}  // namespace

void AddEndpoints(http::Router& router, const EndpointContext& context) {
  web::AddPage(router);
  AddStatus(router,
            {SystemClock(), [&scheduler = context.scheduler] { return scheduler.States(); }});
  router.Get("/metrics", [context](const Request& request) { return Metrics(context, request); });
  router.Get("/-/healthy",
             [](const Request&) { return Response::Text(200, "vigia is healthy\n"); });
  router.Get("/-/ready", [context](const Request&) {
    if (!context.ready()) return Response::Text(503, "vigia is starting or stopping\n");
    // It works all the same, so whoever balances or restarts by this must not take it away.
    return Response::Text(200, "vigia is ready\n" + context.at_risk());
  });
  router.Add({.method = "POST",
              .pattern = "/-/reload",
              .handler =
                  [context](const Request&) {
                    const auto status = context.reload();
                    return status ? Response::Text(200, "configuration reloaded\n")
                                  : Response::Text(500, status.error().message());
                  },
              .large_stack = true,
              .changes_state = true});
}

}  // namespace vigia::exporter
