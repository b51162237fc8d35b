// An Alert as rules hand it to notification: who it is, since when, and until when it counts.
//
// The same thing as the alert of Alertmanager's API v2 (POST /api/v2/alerts): identity is the
// label set alone, and an alert fires until `ends_at`, which whoever sends it keeps ahead of the
// clock for as long as it fires. A plain value; copies share their labels.

#pragma once

#include <span>
#include <string>

#include "core/labels.h"
#include "core/sample.h"

namespace vigia::alerting {

struct Alert {
  Labels labels;  // "alertname" among them
  Labels annotations;
  Timestamp starts_at = 0;
  Timestamp ends_at = 0;  // resolved once this has passed; 0: not known yet
  Timestamp updated_at = 0;
  std::string generator_url;
  // Its data is missing, so it is kept as it was ("unknown is not resolved").
  bool held = false;

  bool ResolvedAt(Timestamp now) const { return ends_at != 0 && ends_at <= now; }
};

// Takes alerts as they begin, go on and end: the router, or an Alertmanager elsewhere. The same
// alert comes again every resend interval while it fires, and for 15 minutes after it resolved.
class AlertSink {
 public:
  virtual ~AlertSink() = default;

  // Thread-safe and quick: what takes long is queued.
  virtual void Post(std::span<const Alert> alerts) = 0;
};

}  // namespace vigia::alerting
