// What the dispatcher and the delivery report to the journal of events: every decision about who is
// told what, and what came of it. Written in the transaction of what it tells about; the sink gets
// those that could not be written.

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "alerting/dispatch/identity.h"
#include "core/sample.h"

namespace vigia::alerting::dispatch {

struct Event {
  Timestamp time = 0;
  std::string type;  // "alert.firing", "notification.queued", ... (docs/alerting.md lists them)
  Labels alert;      // empty where it is about a group or a silence
  std::vector<std::pair<std::string, std::string>> details;
};

// Implementations are thread-safe and quick.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void Record(std::vector<Event> events) = 0;
};

}  // namespace vigia::alerting::dispatch
