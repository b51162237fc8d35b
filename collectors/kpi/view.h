// A view shows one query of an entry: its last good answer and how old that is, until it is too old
// to be shown. It reads the Board only, so it costs a scrape nothing whatever the query does.

#pragma once

#include <memory>
#include <span>

#include "collectors/collector.h"
#include "collectors/kpi/board.h"
#include "collectors/kpi/definition.h"

namespace vigia::collectors::kpi {

// `query` is an index into the definition and the board.
std::unique_ptr<Collector> MakeView(std::shared_ptr<const Definition> definition,
                                    std::shared_ptr<const Board> board, std::size_t query,
                                    Milliseconds max_age);

// What every view may emit, and a placeholder for what the collector files name.
std::unique_ptr<Collector> MakeSampleView();

}  // namespace vigia::collectors::kpi
