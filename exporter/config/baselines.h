// The section `baselines` of vigia.yml: whose normal is learnt, and how.

#pragma once

#include <vector>

#include "alerting/baseline/book.h"

namespace vigia::exporter {

struct BaselinesConfig {
  std::vector<alerting::baseline::Definition> definitions;
};

}  // namespace vigia::exporter
