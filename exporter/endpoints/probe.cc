// GET /probe?target=&module=, as Prometheus' multi-target pattern asks of blackbox_exporter. Only
// for targets that the configuration allows: else it would be a way into networks that its client
// cannot reach.

#include <atomic>

#include "collectors/probe/runner.h"
#include "core/number.h"
#include "exporter/component.h"
#include "exporter/config/probe_endpoint.h"
#include "exporter/page/filter.h"
#include "exporter/page/gzip.h"
#include "exporter/page/negotiate.h"
#include "exporter/page/renderer.h"

namespace vigia::exporter {
namespace {

using collectors::probe::Observation;
using http::Request;
using http::Response;

// Each holds one worker of the server for as long as it takes.
constexpr int kMostAtOnce = 64;
// Where neither the module nor the scraper says how long.
constexpr Milliseconds kLongest{9'500};
// Of the scraper's own timeout, for its network: as much as blackbox_exporter leaves.
constexpr double kScraperMargin = 0.5;

Milliseconds TimeoutOf(const collectors::probe::Module& module, const Request& request) {
  Milliseconds timeout = module.timeout > 0ms ? module.timeout : kLongest;
  const auto seconds = ParseDouble(request.Header("x-prometheus-scrape-timeout-seconds"));
  if (!seconds || !(*seconds > 0) || *seconds > 3600) return timeout;
  const double left = *seconds > 2 * kScraperMargin ? *seconds - kScraperMargin : *seconds / 2;
  return std::min(timeout, Milliseconds(static_cast<std::int64_t>(left * 1000)));
}

Response Page(const Observation& observation, Timestamp now, const Request& request) {
  Batch batch;
  observation.AddTo(batch, {});
  Snapshot snapshot;
  snapshot.entries.push_back(
      {std::make_shared<InstanceId>(InstanceId{"probe", "probe"}), batch.Finish(now)});
  const auto wanted = Negotiate(request.Header("accept"), request.Header("accept-encoding"));
  Response response;
  response.headers = {{"content-type", wanted.content_type}, {"vary", "Accept, Accept-Encoding"}};
  response.body = RenderFiltered(snapshot, {}, wanted.style);
  if (wanted.encoding == Encoding::kGzip) {
    response.body = GzipCompressor().Compress(response.body);
    response.headers.emplace_back("content-encoding", "gzip");
  }
  return response;
}

class ProbeEndpoint final : public Component {
 public:
  explicit ProbeEndpoint(const Ground& ground) : clock_(ground.clock) {
    ground.router.Get("/probe", [this](const Request& request) { return Answer(request); });
  }

  Status Apply(const Config& config) override {
    const std::lock_guard lock(mutex_);
    config_ = config.probe_endpoint;
    return Ok();
  }
  void Start() override {}
  void Stop() override {}

 private:
  std::shared_ptr<const ProbeEndpointConfig> Current() {
    const std::lock_guard lock(mutex_);
    return config_;
  }

  Response Answer(const Request& request) {
    const auto config = Current();
    const std::string target(request.Parameter("target"));
    if (target.empty()) return Response::Text(400, "the parameter 'target' is missing\n");
    const auto name = request.Parameter("module");
    const auto module = config->modules.find(name.empty() ? "http_2xx" : std::string(name));
    if (module == config->modules.end()) return Response::Text(400, "no such module\n");
    if (const auto& missing = module->second.unsupported; !missing.empty()) {
      return Response::Text(400, "vigia does not have " + missing + "\n");
    }
    if (!config->Allows(target)) {
      return Response::Text(403, "probe_endpoint.targets does not allow this target\n");
    }
    if (running_.fetch_add(1) >= kMostAtOnce) {
      --running_;
      return Response::Text(503, "too many probes at once\n");
    }
    const auto allow = [&](const std::string& url) { return config->Allows(url); };
    const auto deadline = Deadline::After(clock_, TimeoutOf(module->second, request));
    const auto observation = collectors::probe::ProbeOnce(module->second, target, allow, deadline);
    --running_;
    return Page(observation, clock_.Wall(), request);
  }

  Clock& clock_;
  std::atomic<int> running_ = 0;
  std::mutex mutex_;
  std::shared_ptr<const ProbeEndpointConfig> config_;  // guarded by mutex_
};

}  // namespace

std::unique_ptr<Component> MakeProbeEndpoint(const Ground& ground) {
  return std::make_unique<ProbeEndpoint>(ground);
}

}  // namespace vigia::exporter
