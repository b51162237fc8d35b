// Sinks write KPI values elsewhere: to a Redis Stream, or as Influx line protocol to an HTTP
// endpoint. A sink is run like a collector, in a thread of its own: what it cannot get rid of
// costs nobody else anything, its failures are logged and counted where all are.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "collectors/collector.h"
#include "collectors/kpi/sink_queue.h"
#include "collectors/redis/connection.h"
#include "core/config/reader.h"
#include "core/duration.h"
#include "core/http_client.h"

namespace vigia::collectors::kpi {

// Takes a batch of records to where they belong.
class Writer {
 public:
  enum class Outcome {
    kWritten,
    kRejected,  // they will never be taken: malformed, or too many at once
  };

  virtual ~Writer() = default;
  // An error: they were not taken now, and may be later.
  virtual Result<Outcome> Write(const std::vector<Record>& records, Deadline deadline) = 0;
};

struct RedisSinkOptions {
  redis::Address address;
  std::string stream = "vigia:kpi";
  std::int64_t max_length = 10'000;
};

struct InfluxSinkOptions {
  std::string url;
  HttpFields headers;
  HttpClient::Options http;
};

std::unique_ptr<Writer> MakeRedisWriter(RedisSinkOptions options);
std::unique_ptr<Writer> MakeInfluxWriter(InfluxSinkOptions options);

// One record of line protocol, with its newline: `shop_orders,state=open value=3
// 1700000000000000000`. Empty for a value that it has no form for (NaN, infinities).
std::string InfluxLine(const Record& record);

// A sink as its entry configures it.
struct SinkSpec {
  std::string name;  // "redis_stream", "influx"
  std::shared_ptr<SinkQueue> queue;
  std::unique_ptr<Writer> writer;
  std::size_t batch = 500;  // records that are written at once
};

// Reads `redis_stream` and `influx` of an entry.
std::vector<SinkSpec> ReadSinks(config::MapReader& reader);

std::unique_ptr<Collector> MakeSink(SinkSpec spec);

}  // namespace vigia::collectors::kpi
