// A Collector reads one part of the world and reports it as samples.
//
// The scheduler calls Collect() once per interval and never from two threads
// at a time, so a collector needs no lock around its own state.

#pragma once

#include <span>

#include "core/batch.h"
#include "core/clock.h"
#include "core/metric.h"
#include "core/result.h"

namespace vigia::collectors {

class Collector {
 public:
  virtual ~Collector() = default;

  // Every metric this collector may emit; fixed for the life of the process.
  // `vigia metrics` and docs/metrics.md are printed from these. A family whose name the
  // world decides stands here with a placeholder: "node_memory_<field>_bytes".
  virtual std::span<const Metric> Metrics() const = 0;

  // Adds one reading of the world to `batch`, which arrives empty.
  //
  // Returns by `deadline`. On error the batch is discarded: a reading is
  // published whole or not at all, and the collector's series go stale.
  // An error that a retry cannot mend at once (the source is down) is kUnavailable.
  virtual Status Collect(Deadline deadline, Batch& batch) = 0;
};

}  // namespace vigia::collectors
