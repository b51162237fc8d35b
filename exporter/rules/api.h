// The answers of Prometheus' API about rules and alerts: /api/v1/rules and /api/v1/alerts, with
// all of their parameters.
//
// Beyond Prometheus an alert whose data is missing has "vigia_held": true, and the same as an
// annotation, for those who show annotations only; a rule that reads nothing has "dead": true.

#pragma once

#include <memory>
#include <vector>

#include "alerting/rules/group.h"
#include "exporter/http/message.h"
#include "exporter/rules/dead.h"

namespace vigia::exporter {

using RuleGroups = std::vector<std::shared_ptr<const alerting::rules::Group>>;

http::Response RulesAnswer(const http::Request& request, const RuleGroups& groups, DeadRules& dead);
http::Response AlertsAnswer(const RuleGroups& groups);

}  // namespace vigia::exporter
