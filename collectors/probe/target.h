// A Target is one thing that is probed, and how: an entry of `targets:`.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/postgres/connection.h"
#include "collectors/probe/module.h"
#include "collectors/redis/connection.h"
#include "core/config/reader.h"

namespace vigia::collectors::probe {

struct Target {
  std::string name;  // of the configuration, else the address without secrets
  std::string address;
  Module module;
  postgres::ConnectOptions postgres;
  redis::Address redis;
  // So many probes in a row have to fail, or succeed, before the target counts as unhealthy or
  // healthy.
  std::int64_t failure_threshold = 1;
  std::int64_t success_threshold = 1;
};

// What holds for targets that do not say otherwise.
struct TargetDefaults {
  Milliseconds timeout{5000};
  Milliseconds max_timeout{10000};  // of a run
};

std::vector<Target> ReadTargets(config::MapReader& options, const TargetDefaults& defaults);

}  // namespace vigia::collectors::probe
