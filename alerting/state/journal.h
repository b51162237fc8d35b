// The event journal: what happened to which alert, and when. One line per transition, route
// taken, notification, answer, silence, acknowledgement, deploy marker. `explain`, the events API
// and `vigia notify render --from-history` read it.
//
//     journal.Add({.time = now, .type = "alert.firing", .labels = alert.labels,
//                  .details = R"({"value":97.2})"});
//
// Thread-safe. Add() only queues; Flush() writes the queue in one transaction, and is called once
// per evaluation by rules, and once a second by whoever runs Run(). While the file cannot be
// written, the newest kMaxQueue events wait in memory and are found by queries all the same.

#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "alerting/state/database.h"
#include "core/clock.h"
#include "core/labels.h"
#include "core/result.h"
#include "core/sample.h"

namespace vigia::alerting::state {

struct Event {
  std::int64_t id = 0;  // given by the journal, rising; 0 for one that waits in memory
  Timestamp time = 0;
  // Words with dots, the subject first: "alert.pending", "alert.firing", "alert.resolved",
  // "notification.sent", "notification.failed", "silence.created", "deploy".
  std::string type;
  // What it happened to: Fingerprint(labels) of an alert (alerting/fingerprint.h); 0 for none.
  std::uint64_t fingerprint = 0;
  Labels labels;               // of the alert; "alertname" is its name
  std::string details = "{}";  // a JSON object
};

struct EventFilter {
  std::optional<Timestamp> since;  // inclusive
  std::optional<Timestamp> until;  // exclusive
  std::string alert;               // its alertname
  std::optional<std::uint64_t> fingerprint;
  std::string type;  // exactly, or all below it if it ends with a dot: "alert."
  std::optional<std::int64_t> before_id;  // to go on where a page of an answer ended
  std::size_t limit = 1000;
};

class Journal {
 public:
  struct Retention {
    std::chrono::milliseconds age = std::chrono::hours(24 * 30);
    std::uint64_t max_bytes = 64 << 20;  // of the events' text
  };

  static constexpr std::size_t kMaxQueue = 10'000;

  // `database` and `clock` outlive the journal.
  Journal(Database& database, Clock& clock, Retention retention);
  Journal(Database& database, Clock& clock) : Journal(database, clock, Retention()) {}
  ~Journal();  // flushes
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  void Add(Event event);
  Status Flush();
  // Writes events inside a transaction of the caller's, so that they stand or fall with it.
  static Status Write(Session& session, std::span<const Event> events);

  // The newest events that fit, newest first.
  Result<std::vector<Event>> Query(const EventFilter& filter);

  // Deletes what is too old or too much.
  Status Prune();

  // Flushes every second and prunes every minute, until stopped.
  void Run(std::stop_token stop);

  // Events lost because too many waited.
  std::uint64_t dropped() const;

 private:
  bool Fits(const EventFilter& filter, const Event& event) const;

  Database& database_;
  Clock& clock_;
  const Retention retention_;
  std::mutex flush_mutex_;  // one Flush() at a time; held over the transaction
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::condition_variable_any unused_;
  std::deque<Event> queue_;
  std::uint64_t first_ = 0;  // number of queue_.front() since the start
  std::uint64_t dropped_ = 0;
};

}  // namespace vigia::alerting::state
