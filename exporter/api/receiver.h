// Takes samples from others: remote write 1.0 and OpenMetrics text with timestamps.
//
// What an answer of 2xx says is stored survives a kill -9 that comes after it. Thread-safe.

#pragma once

#include <atomic>
#include <string>

#include "exporter/api/metadata_store.h"
#include "exporter/api/query_gate.h"
#include "exporter/http/message.h"
#include "query/history/history.h"

namespace prometheus {
class Counter;
class Registry;
}  // namespace prometheus

namespace vigia::api {

class Receiver {
 public:
  // A body as it arrives, and unpacked.
  static constexpr std::size_t kMostBytes = 32 << 20;
  static constexpr std::size_t kMostUnpackedBytes = 64 << 20;

  // All of it outlives the receiver.
  Receiver(history::History& history, MetadataStore& metadata, prometheus::Registry& registry);

  // Whether remote write is taken; refused until then.
  void Enable(bool enabled) { enabled_ = enabled; }

  // POST /api/v1/write
  http::Response Write(const http::Request& request);
  // POST /api/v1/import/openmetrics
  http::Response Import(const http::Request& request);

 private:
  // Appends and makes it durable; counts.
  Result<SeriesSink::Outcome> Store(std::span<const SeriesSink::Run> runs);

  history::History& history_;
  MetadataStore& metadata_;
  QueryGate gate_;  // bounds the memory that bodies take
  std::atomic<bool> enabled_ = false;

  prometheus::Counter& requests_;
  prometheus::Counter& stored_;
  prometheus::Counter& duplicate_;
  prometheus::Counter& refused_;
  prometheus::Counter& malformed_;
};

}  // namespace vigia::api
