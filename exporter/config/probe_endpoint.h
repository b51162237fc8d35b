// What GET /probe may probe, and how: the section `probe_endpoint`.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "collectors/probe/module.h"

namespace vigia::exporter {

struct ProbeEndpointConfig {
  // A target has to match one of them as a whole; none: nothing may be probed.
  std::vector<collectors::probe::Pattern> targets;
  std::map<std::string, collectors::probe::Module> modules;

  bool Allows(const std::string& target) const;
};

}  // namespace vigia::exporter
