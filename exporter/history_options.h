#pragma once

#include "exporter/config/config.h"
#include "query/history/history.h"

namespace vigia::exporter {

// What `history:` asks for, in the data folder; faults and repairs of its files are logged.
history::Options HistoryOptions(const Config& config);

}  // namespace vigia::exporter
