// The section `remote_write` of vigia.yml: where all samples are sent on to.

#pragma once

#include <string>
#include <vector>

#include "query/remote_write/options.h"

namespace vigia::exporter {

struct RemoteWriteConfig {
  std::vector<remote_write::Endpoint> endpoints;
  // Equal for equal configuration: a reload then leaves the endpoints alone.
  std::string fingerprint;
};

}  // namespace vigia::exporter
