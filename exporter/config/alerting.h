// The section `alerting` of vigia.yml: Alertmanager's configuration, by file or inline, and how
// notifications are delivered.

#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "alerting/deliver/alertmanagers.h"
#include "alerting/deliver/receiver.h"
#include "alerting/dispatch/dispatcher.h"
#include "alerting/outbox/outbox.h"
#include "core/config/diagnostics.h"
#include "core/config/reader.h"

namespace vigia::exporter {

// One integration of a receiver, ready to be used.
struct ReceiverLane {
  std::string kind;
  std::shared_ptr<alerting::deliver::Receiver> receiver;
  double rate = 0;
  double burst = 1;
};

struct AlertingConfig {
  std::shared_ptr<const alerting::dispatch::Plan> plan;
  std::map<alerting::outbox::LaneId, ReceiverLane> lanes;
  alerting::outbox::Outbox::Options delivery;
  alerting::dispatch::Dispatcher::Options dispatch;
  // Those that get every alert of the rules, beside vigia's own routing.
  alerting::deliver::AlertmanagersOptions alertmanagers;
};

// Reads `alertmanagers` and `alert_relabel_configs`, Prometheus' keys, out of `alerting`. Relative
// paths are taken from `folder`.
alerting::deliver::AlertmanagersOptions ReadAlertmanagers(config::MapReader& alerting,
                                                          const std::filesystem::path& folder);

// Of an alertmanager.yml, or of the section `alerting` of a vigia.yml; null where faults have gone
// to `diagnostics`.
std::shared_ptr<const AlertingConfig> LoadAnyAlerting(const std::filesystem::path& path,
                                                      config::Diagnostics& diagnostics);

// What holds where nothing is configured: one receiver, the log.
std::shared_ptr<const AlertingConfig> DefaultAlerting();

// An alertmanager.yml with its receivers; faults go to `diagnostics`.
AlertingConfig LoadAlerting(const std::filesystem::path& path, config::Diagnostics& diagnostics);

}  // namespace vigia::exporter
