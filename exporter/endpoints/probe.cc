// GET /probe?target=&module=, as Prometheus' multi-target pattern asks of blackbox_exporter. Only
// for targets that the configuration allows: else it would be a way into networks that its client
// cannot reach.

#include <strings.h>

#include <atomic>

#include "collectors/probe/runner.h"
#include "core/duration.h"
#include "core/number.h"
#include "exporter/component.h"
#include "exporter/config/probe_endpoint.h"
#include "exporter/page/filter.h"
#include "exporter/page/gzip.h"
#include "exporter/page/negotiate.h"
#include "exporter/page/renderer.h"

namespace vigia::exporter {
namespace {

using collectors::probe::Module;
using collectors::probe::Observation;
using collectors::probe::ProberKind;
using collectors::probe::Trace;
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

Snapshot SnapshotOf(const Observation& observation, Timestamp now) {
  Batch batch;
  observation.AddTo(batch, {});
  Snapshot snapshot;
  snapshot.entries.push_back(
      {std::make_shared<InstanceId>(InstanceId{"probe", "probe"}), batch.Finish(now)});
  return snapshot;
}

Response Page(const Observation& observation, Timestamp now, const Request& request) {
  const auto snapshot = SnapshotOf(observation, now);
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

// The parameter `hostname`: asks the target for that host. An error if the module asks for another.
Status SetHostname(const std::string& hostname, Module& module) {
  if (module.prober == ProberKind::kTcp || module.prober == ProberKind::kTls) {
    auto& name = module.tcp.tls_options.server_name;
    if (name.empty()) name = hostname;
  }
  if (module.prober != ProberKind::kHttp) return Ok();
  for (const auto& [name, value] : module.http.headers) {
    if (::strcasecmp(name.c_str(), "Host") != 0) continue;
    if (value == hostname) return Ok();
    return Fail(ErrorCode::kInvalid, "the module's header Host is '" + value +
                                         "', the parameter 'hostname' is '" + hostname + "'");
  }
  module.http.headers.emplace_back("Host", hostname);
  return Ok();
}

// What blackbox_exporter answers to `debug=true`, under its headings.
Response DebugPage(const Observation& observation, const Module& module, const std::string& log,
                   Timestamp now) {
  auto body = "Logs for the probe:\n" + log;
  body += "\n\n\nMetrics that would have been returned:\n";
  body += RenderFiltered(SnapshotOf(observation, now), {}, Negotiate("", "").style);
  body += "\n\n\nModule configuration:\n";
  body += module.text.empty() ? "(built in)\n" : module.text;
  return Response::Text(200, std::move(body));
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
    const auto found = config->modules.find(name.empty() ? "http_2xx" : std::string(name));
    if (found == config->modules.end()) return Response::Text(400, "no such module\n");
    if (const auto& missing = found->second.unsupported; !missing.empty()) {
      return Response::Text(400, "vigia does not have " + missing + "\n");
    }
    if (!config->Allows(target)) {
      return Response::Text(403, "probe_endpoint.targets does not allow this target\n");
    }
    // A zero byte would end for a prober what went on for the expression that allows it.
    const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
    if (std::any_of(target.begin(), target.end(), control)) {
      return Response::Text(400, "the parameter 'target' has control characters\n");
    }
    const std::string hostname(request.Parameter("hostname"));
    if (hostname.empty()) return Run(*config, found->second, target, request);
    auto module = found->second;
    auto status = SetHostname(hostname, module);
    if (!status) return Response::Text(400, status.error().message() + "\n");
    return Run(*config, module, target, request);
  }

  Response Run(const ProbeEndpointConfig& config, const Module& module, const std::string& target,
               const Request& request) {
    if (running_.fetch_add(1) >= kMostAtOnce) {
      --running_;
      return Response::Text(503, "too many probes at once\n");
    }
    const bool debug = request.Parameter("debug") == "true";
    const auto timeout = TimeoutOf(module, request);
    Trace trace(clock_);
    if (debug) Begin(module, target, timeout, trace);
    const auto allow = [&](const std::string& url) { return config.Allows(url); };
    auto observation = collectors::probe::ProbeOnce(module,
                                                    {.target = target,
                                                     .deadline = Deadline::After(clock_, timeout),
                                                     .trace = debug ? &trace : nullptr},
                                                    allow);
    --running_;
    observation.timeout = timeout;
    if (!debug) return Page(observation, clock_.Wall(), request);
    End(observation, trace);
    return DebugPage(observation, module, trace.text(), clock_.Wall());
  }

  static void Begin(const Module& module, const std::string& target, Milliseconds timeout,
                    Trace& trace) {
    trace.Add(log::Level::kInfo, "the probe begins",
              {{"prober", Name(module.prober)},
               {"target", target},
               {"timeout", FormatDuration(timeout)}});
  }

  static void End(const Observation& observation, Trace& trace) {
    const auto seconds = FormatDouble(observation.duration_seconds);
    if (observation.success) {
      trace.Add(log::Level::kInfo, "the probe succeeded", {{"duration_seconds", seconds}});
      return;
    }
    trace.Add(log::Level::kError, "the probe failed",
              {{"duration_seconds", seconds},
               {"reason", Name(observation.reason)},
               {"error", observation.message}});
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
