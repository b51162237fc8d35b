// The section `baselines` of vigia.yml: whose normal is learnt, and how.

#pragma once

#include <filesystem>
#include <vector>

#include "alerting/baseline/book.h"
#include "core/config/diagnostics.h"

namespace vigia::exporter {

struct BaselinesConfig {
  std::vector<alerting::baseline::Definition> definitions;
};

// Those of a vigia.yml; the bundled ones for an alertmanager.yml and for an empty path. Faults go
// to `diagnostics`.
std::vector<alerting::baseline::Definition> LoadAnyBaselines(const std::filesystem::path& path,
                                                             config::Diagnostics& diagnostics);

}  // namespace vigia::exporter
