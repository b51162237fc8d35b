// What the history says of itself, as a collector.

#pragma once

#include <memory>
#include <span>

#include "collectors/collector.h"
#include "query/history/history.h"

namespace vigia::exporter {

std::span<const Metric> HistoryMetrics();

// `history` outlives the collector.
std::unique_ptr<collectors::Collector> MakeHistoryCollector(const history::History& history);

}  // namespace vigia::exporter
