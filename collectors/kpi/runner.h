// The runner asks the queries of an entry, one after another over one connection, each by its own
// schedule. What it finds goes to the Board; its own success is that of the connection.

#pragma once

#include <memory>
#include <vector>

#include "collectors/collector.h"
#include "collectors/kpi/board.h"
#include "collectors/kpi/definition.h"
#include "collectors/kpi/sink_queue.h"
#include "collectors/postgres/connection.h"

namespace vigia::collectors::kpi {

struct RunnerOptions {
  postgres::ConnectOptions connect;
  postgres::StreamLimits limits;
  Milliseconds interval{300'000};                 // of queries whose file has no min_interval
  Milliseconds timeout{10'000};                   // of one query
  std::vector<std::shared_ptr<SinkQueue>> sinks;  // that are given each good answer
};

// How often a query is run.
Milliseconds IntervalOf(const Query& query, const RunnerOptions& options);
// How often the runner has to be called for that, and how long one call may take.
Milliseconds TickOf(const Definition& definition, const RunnerOptions& options);
Milliseconds LongestRun(const Definition& definition, const RunnerOptions& options);

std::unique_ptr<Collector> MakeRunner(std::shared_ptr<const Definition> definition,
                                      std::shared_ptr<Board> board, RunnerOptions options);

}  // namespace vigia::collectors::kpi
