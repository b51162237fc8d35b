// Where the dispatcher's state outlives it. A change is written before it takes effect outside:
// first down, then sent, then marked.

#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "alerting/dispatch/acknowledgement.h"
#include "alerting/dispatch/event.h"
#include "alerting/dispatch/known_alert.h"
#include "alerting/dispatch/log.h"
#include "alerting/dispatch/notice.h"
#include "alerting/dispatch/silence.h"
#include "core/result.h"

namespace vigia::alerting::dispatch {

// What happened since the last write; written in one transaction.
struct Changes {
  std::vector<AlertPtr> alerts;
  std::vector<AlertId> forgotten_alerts;
  std::vector<Silence> silences;
  std::vector<std::string> forgotten_silences;
  std::vector<Acknowledgement> acks;
  std::vector<AlertId> forgotten_acks;
  std::vector<std::pair<LogKey, LogEntry>> log;
  std::vector<LogKey> forgotten_log;
  std::vector<Notice> notices;
  std::vector<NoticeResult> results;
  std::vector<Event> events;  // for the journal

  bool empty() const;
};

// A notice that has not been delivered yet, and how far it came.
struct PendingNotice {
  Notice notice;
  int attempts = 0;
  std::string answer;
  bool dead = false;
  Timestamp died_at = 0;
};

// Everything, for the start.
struct Snapshot {
  std::vector<AlertPtr> alerts;
  std::vector<Silence> silences;
  std::vector<Acknowledgement> acks;
  NotificationLog log;
  std::vector<PendingNotice> notices;  // in the order in which they were decided
  // What receivers want back with the next notice of a group.
  std::map<LogKey, std::string> handles;
};

// Implementations are thread-safe.
class Store {
 public:
  virtual ~Store() = default;

  // All or nothing. An error means that nothing was written and the state lives in memory alone.
  virtual Status Commit(const Changes& changes) = 0;
  virtual Result<Snapshot> Load() = 0;
};

}  // namespace vigia::alerting::dispatch
