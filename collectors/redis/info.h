// INFO of Redis as samples, under redis_exporter's names.

#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/batch.h"
#include "core/metric.h"

namespace vigia::collectors::redis {

// What later commands and the ratios need to know of one INFO.
struct InfoFacts {
  std::string role;
  std::string mode;  // standalone, cluster, sentinel
  std::string run_id;
  bool cluster_enabled = false;
  bool has_keyspace_counts = false;
  double keyspace_hits = 0;
  double keyspace_misses = 0;
  struct Master {
    std::string name;
    std::string address;
  };
  std::vector<Master> masters;  // that a Sentinel watches
};

// Adds what one INFO reply says. Fields that nobody knows and values that are not numbers are
// skipped. `databases` is how many there are, so that empty ones count 0 keys; 0 if unknown.
InfoFacts AddInfo(std::string_view info, int databases, Timestamp now, Batch& batch);

// Adds the fields of CLUSTER INFO.
void AddClusterInfo(std::string_view info, Batch& batch);

std::span<const Metric> InfoMetrics();

}  // namespace vigia::collectors::redis
