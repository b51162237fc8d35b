// The Plan: what the configuration says about telling people, ready to be used. Immutable.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "alerting/route/config.h"

namespace vigia::alerting::dispatch {

// One way of a receiver: an item of its `webhook_configs` and the like.
struct Integration {
  std::string kind;  // "webhook"
  bool send_resolved = true;
};

struct Plan {
  route::AlertmanagerConfig config;
  std::map<std::string, std::vector<Integration>, std::less<>> receivers;

  // The ways of a receiver; none if there is no such receiver any more.
  const std::vector<Integration>& Integrations(std::string_view receiver) const {
    static const std::vector<Integration> kNone;
    const auto at = receivers.find(receiver);
    return at == receivers.end() ? kNone : at->second;
  }
};

}  // namespace vigia::alerting::dispatch
