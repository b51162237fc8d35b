// What a Sentinel thinks of the masters that it watches, beyond INFO: how many of their replicas
// and of the other Sentinels it takes for reachable, and whether a failover would find its quorum.

#pragma once

#include <span>

#include "collectors/redis/connection.h"
#include "collectors/redis/info.h"
#include "core/batch.h"

namespace vigia::collectors::redis {

// Does nothing for servers that are no Sentinel. A question that the user may not ask is left out.
Status AddSentinel(Connection& connection, const InfoFacts& facts, Deadline deadline, Batch& batch);

std::span<const Metric> SentinelMetrics();

}  // namespace vigia::collectors::redis
