// Sends the alerts of the rules to Alertmanagers elsewhere: the component of
// `alerting.alertmanagers`.

#include "core/text/json.h"
#include "exporter/alertmanagers_metrics.h"
#include "exporter/component.h"
#include "exporter/config/alerting.h"

namespace vigia::exporter {
namespace {

using alerting::deliver::Alertmanagers;

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
  explicit AlertmanagersComponent(const Ground& ground) : alertmanagers_(ground.clock) {
    ground.alerts.Attach(alertmanagers_);
    ground.router.Get("/api/v1/alertmanagers",
                      [this](const http::Request&) { return Show(alertmanagers_); });
  }

  Status Apply(const Config& config) override {
    alertmanagers_.Apply(config.alerting->alertmanagers);
    return Ok();
  }

  void Start() override {}
  void Stop() override { alertmanagers_.Stop(); }

  std::vector<collectors::Instance> Instances() override {
    std::vector<collectors::Instance> out;
    if (alertmanagers_.Stats().empty()) return out;
    out.push_back(OwnInstance("vigia.alertmanagers", "alertmanagers",
                              MakeAlertmanagersCollector(alertmanagers_)));
    return out;
  }

 private:
  Alertmanagers alertmanagers_;
};

}  // namespace

std::unique_ptr<Component> MakeAlertmanagersComponent(const Ground& ground) {
  return std::make_unique<AlertmanagersComponent>(ground);
}

}  // namespace vigia::exporter
