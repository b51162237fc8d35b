// A Subject is one thing that is read from a server: locks, replication, settings.
//
// Most subjects are a Query: one statement, and what its columns are. A subject that keeps state
// or computes implements Subject itself. Used by one thread at a time.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/postgres/connection.h"
#include "core/batch.h"
#include "core/metric.h"

namespace vigia::collectors::postgres {

// The oldest version of PostgreSQL that is read: 13.
inline constexpr int kOldestVersion = 130000;

// A column that becomes a series. NULL leaves the series out: missing is not zero.
struct Value {
  Metric metric;
  // Which of the query's labels the series carries; by default all.
  std::uint8_t first_label = 0;
  std::uint8_t label_count = 255;
};

// Columns: first one per label, then one per value.
struct Query {
  // For a server of that version; columns that it lacks are NULL.
  std::string (*sql)(int version);
  std::span<const std::string_view> labels;
  std::span<const Value> values;
  int min_version = kOldestVersion;
};

// Adds the series of one row of `query`.
Status AddRow(const Query& query, Row row, Batch& batch);

// A number as PostgreSQL prints it; kCorrupt for anything else.
Result<double> ParseNumber(std::string_view text);

class Subject {
 public:
  explicit Subject(std::string_view name) : name_(name) {}
  virtual ~Subject() = default;

  // The `collector` of pg_scrape_collector_success.
  std::string_view name() const { return name_; }

  virtual void Describe(std::vector<Metric>& metrics) const = 0;
  // The statement that every reading of a server of that version begins with: it is asked together
  // with those of other subjects. Empty if that depends.
  virtual std::string_view FirstStatement([[maybe_unused]] int version) const { return {}; }
  // kInvalid and kCorrupt concern this subject alone; other errors the whole reading.
  virtual Status Read(Connection& connection, Deadline deadline, Batch& batch) = 0;

 private:
  const std::string_view name_;
};

// `name` and `query` live for ever.
std::unique_ptr<Subject> MakeQuerySubject(std::string_view name, const Query& query);

// Appends the metrics of a query.
void Describe(const Query& query, std::vector<Metric>& metrics);

// Whether `status` is a timeout of the session, after which the connection is still in order.
inline bool TimedOut(const Status& status, const Connection& connection) {
  return !status && status.error().code() == ErrorCode::kTimeout && connection.alive();
}

// What changes seldom or costs much is read at most once per interval. Due at the first call.
class Cadence {
 public:
  explicit Cadence(Milliseconds interval) : interval_(interval) {}

  bool Due(Deadline deadline) const { return deadline.clock().Now() >= next_; }
  void Done(Deadline deadline) { next_ = deadline.clock().Now() + interval_; }

 private:
  Milliseconds interval_;
  Instant next_ = Instant::min();
};

}  // namespace vigia::collectors::postgres
