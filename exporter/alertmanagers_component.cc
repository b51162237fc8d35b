// Sends the alerts of the rules to Alertmanagers elsewhere: the component of
// `alerting.alertmanagers`.

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "core/text/json.h"
#include "exporter/alertmanagers_metrics.h"
#include "exporter/component.h"
#include "exporter/config/alerting.h"

namespace vigia::exporter {
namespace {

using alerting::deliver::Alertmanagers;
using alerting::deliver::AlertmanagersOptions;

// As Prometheus' /api/v1/alertmanagers has it.
http::Response Show(const Alertmanagers& alertmanagers) {
  std::string body;
  text::JsonWriter json(body);
  json.BeginObject().Field("status", "success").Key("data").BeginObject();
  json.Key("activeAlertmanagers").BeginArray();
  for (const auto& stats : alertmanagers.Stats()) {
    json.BeginObject().Field("url", stats.url).EndObject();
  }
  json.EndArray().Key("droppedAlertmanagers").BeginArray().EndArray().EndObject().EndObject();
  return http::Response::Json(200, std::move(body));
}

class AlertmanagersComponent final : public Component {
 public:
  explicit AlertmanagersComponent(const Ground& ground)
      : clock_(ground.clock), alertmanagers_(ground.clock) {
    ground.alerts.Attach(alertmanagers_);
    ground.router.Get("/api/v1/alertmanagers",
                      [this](const http::Request&) { return Show(alertmanagers_); });
  }

  Status Apply(const Config& config) override {
    watcher_ = {};  // waits for it
    auto options = config.alerting->alertmanagers;
    if (discovery_ && options.discovery && discovery_ != options.discovery) {
      options.discovery->Recall(discovery_->Known());
      options.targets = options.discovery->Find();
    }
    discovery_ = options.discovery;
    configured_ = !options.targets.empty() || discovery_;
    alertmanagers_.Apply(options);
    if (discovery_) {
      watcher_ = std::jthread([this, options](std::stop_token stop) { Watch(stop, options); });
    }
    return Ok();
  }

  void Start() override {}
  void Stop() override {
    watcher_ = {};
    alertmanagers_.Stop();
  }

  std::vector<collectors::Instance> Instances() override {
    std::vector<collectors::Instance> out;
    if (!configured_) return out;
    out.push_back(OwnInstance("vigia.alertmanagers", "alertmanagers",
                              MakeAlertmanagersCollector(alertmanagers_)));
    return out;
  }

 private:
  // Follows the files that name Alertmanagers.
  void Watch(const std::stop_token& stop, AlertmanagersOptions options) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      clock_.WaitUntil(lock, never, stop, clock_.Now() + options.refresh, [] { return false; });
      if (stop.stop_requested()) return;
      options.targets = options.discovery->Find();
      alertmanagers_.Apply(options);
    }
  }

  Clock& clock_;
  Alertmanagers alertmanagers_;
  bool configured_ = false;
  std::shared_ptr<alerting::deliver::AlertmanagerDiscovery> discovery_;
  std::jthread watcher_;  // last: it uses the rest
};

}  // namespace

std::unique_ptr<Component> MakeAlertmanagersComponent(const Ground& ground) {
  return std::make_unique<AlertmanagersComponent>(ground);
}

}  // namespace vigia::exporter
