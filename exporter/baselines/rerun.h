// A Rerun: baselines over a stretch of the past, as a daemon that was started at its beginning
// would have run them. They learn from what is before it, are evaluated at their intervals, and
// what they write, and the changes that last, is kept in memory for rules to read
// (`vigia backtest`).
//
// What differs from the daemon: the values of an expression are read later, when all samples are
// there; and what a daemon knew from the time before its history is not known.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "alerting/baseline/book.h"
#include "exporter/baselines/marks.h"
#include "query/promql/memory_source.h"

namespace vigia::exporter {

// The name of the metric of changes that last.
inline constexpr std::string_view kChangeMetric = "vigia_baseline_change";

// Reads the values of a definition's expression at range.from, + range.step, ... up to range.to.
// Labels are without a name; values of a series come in the order of time.
using TakeValue = std::function<void(const Labels& labels, Timestamp time, double value)>;
using ReadValues =
    std::function<Status(const alerting::baseline::Definition& definition,
                         alerting::baseline::PastRange range, const TakeValue& take)>;

struct RerunOptions {
  Timestamp from = 0;
  Timestamp to = 0;
  std::vector<Deploy> deploys;
  std::vector<Maintenance> maintenances;
  std::set<std::string, std::less<>> keep;  // names of the metrics that are kept
};

// What a baseline has learnt from before the stretch, and what came of it.
struct Rehearsed {
  std::string baseline;
  std::size_t known = 0;     // series that it has learnt from before
  std::size_t values = 0;    // of them
  Timestamp first = 0;       // of these values; 0 for none
  std::size_t series = 0;    // followed at the end
  std::size_t learning = 0;  // of these, still learning at the end
  std::string error;         // why nothing, or no more, could be read; empty if all was
};

struct Rerun {
  std::unique_ptr<promql::MemorySource> series;
  std::vector<Rehearsed> baselines;
};

Rerun RunBaselines(std::vector<alerting::baseline::Definition> definitions, const ReadValues& read,
                   RerunOptions options);

}  // namespace vigia::exporter
