// Chosen keys of a Redis server: sizes, counts by pattern, streams with their groups.

#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "collectors/redis/connection.h"
#include "core/batch.h"
#include "core/config/reader.h"
#include "core/metric.h"

namespace vigia::collectors::redis {

struct KeySpec {
  int db = 0;
  std::string key;  // a name, or a glob of SCAN
};

struct KeyOptions {
  std::vector<KeySpec> keys;             // single keys: size and, of numeric strings, value
  std::vector<KeySpec> key_patterns;     // the same for all keys that match
  std::vector<KeySpec> count_patterns;   // how many keys match
  std::vector<KeySpec> streams;          // streams by name
  std::vector<KeySpec> stream_patterns;  // streams by glob
  Milliseconds scan_budget{200};         // of one run, for all patterns together
  std::size_t max_keys = 1000;           // of one pattern

  bool empty() const {
    return keys.empty() && key_patterns.empty() && count_patterns.empty() && streams.empty() &&
           stream_patterns.empty();
  }
};

// Reads `keys`, `key_patterns`, `count_keys`, `streams`, `stream_patterns` (each "name" or
// "db3=name", as redis_exporter writes them; a list), `queues` (lists, such as Celery's) and
// `scan_budget`, `max_keys`.
KeyOptions ReadKeyOptions(config::MapReader& options);

// Keeps the state of scans between runs: a scan that does not get through in its budget goes
// on where it stopped, and what the last whole one found is reported meanwhile.
class KeyReader {
 public:
  KeyReader(KeyOptions options, int home_db) : options_(std::move(options)), db_(home_db) {}

  // Leaves the connection on the database `home_db`.
  Status Collect(Connection& connection, Deadline deadline, Batch& batch);

 private:
  struct Scan {
    std::string cursor = "0";
    std::set<std::string> found;    // by the scan in progress; cut at max_keys
    std::size_t counted = 0;        // by the scan in progress
    bool complete = false;          // one scan has got through
    std::vector<std::string> keys;  // of the last whole scan
    std::size_t count = 0;
  };

  Status Advance(const KeySpec& spec, Scan& scan, Connection& connection, Deadline deadline,
                 Instant until);
  Status AddSizes(int db, std::span<const std::string> keys, Connection& connection,
                  Deadline deadline, Batch& batch);
  Status AddStreams(int db, std::span<const std::string> keys, Connection& connection,
                    Deadline deadline, Batch& batch);
  Status Select(int db, Connection& connection, Deadline deadline);

  const KeyOptions options_;
  const int db_;
  std::map<std::pair<int, std::string>, Scan> scans_;
  int selected_ = 0;
};

std::span<const Metric> KeyMetrics();

}  // namespace vigia::collectors::redis
