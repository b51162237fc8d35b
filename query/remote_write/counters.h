// What an endpoint counts; the daemon shows it as vigia_remote_write_*.

#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "core/sample.h"

namespace vigia::remote_write {

struct Counters {
  using Count = std::atomic<std::uint64_t>;
  Count samples = 0;     // delivered
  Count rejected = 0;    // samples that the receiver refuses for good: dropped
  Count relabelled = 0;  // samples of series that the rules drop
  Count too_old = 0;     // samples beyond sample_age_limit: dropped
  Count metadata = 0;    // delivered
  Count requests = 0;    // that got an answer of 2xx
  Count failures = 0;    // that did not, and are tried again
  Count refusals = 0;    // that did not, and are not
  Count bytes = 0;       // of delivered requests
  Count gaps = 0;        // places where the journal was lost before it was read
  std::atomic<std::uint64_t> shards = 0;
  std::atomic<Timestamp> newest = 0;  // of delivered samples
};

// A copy to look at.
struct EndpointStats {
  std::string name;
  std::string url;
  std::uint64_t samples = 0, rejected = 0, relabelled = 0, too_old = 0, metadata = 0;
  std::uint64_t requests = 0, failures = 0, refusals = 0, bytes = 0, gaps = 0, shards = 0;
  std::uint64_t pending_bytes = 0;  // of the journal
  // Samples that the disk refused since the endpoint began: no journal has them to be sent from.
  std::uint64_t not_in_journal = 0;
  Timestamp newest = 0;         // 0: none yet
  Timestamp newest_stored = 0;  // of the history; 0: none
};

}  // namespace vigia::remote_write
