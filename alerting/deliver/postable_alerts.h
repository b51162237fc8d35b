// Alerts as Alertmanager's API v2 takes them (POST /api/v2/alerts).

#pragma once

#include <span>
#include <string>

#include "alerting/alert.h"

namespace vigia::alerting::deliver {

// The path of the API below an Alertmanager's own URL.
inline constexpr const char* kPostAlertsPath = "/api/v2/alerts";

// A list in JSON. Each says until when it fires, or since when it does not.
std::string PostableAlerts(std::span<const Alert> alerts);

}  // namespace vigia::alerting::deliver
