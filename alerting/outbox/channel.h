// A Channel makes one attempt to deliver a notice: one integration of one receiver.

#pragma once

#include <string>

#include "alerting/dispatch/notice.h"
#include "core/clock.h"
#include "core/duration.h"

namespace vigia::alerting::outbox {

// What the other side said.
struct Answer {
  enum class Kind {
    kDelivered,
    kRetry,     // not now: it is down, busy, or limits the rate
    kRejected,  // never: the same request fails again
  };

  Kind kind = Kind::kRetry;
  std::string text = {};        // for people: "HTTP 429: slow down"
  Milliseconds retry_after{0};  // kRetry: not before; nothing to this channel is sent meanwhile
  std::string handle = {};      // kDelivered: to be kept for the next notice of the group
};

class Channel {
 public:
  virtual ~Channel() = default;

  // Thread-safe. Returns by `deadline`. `notice.id` is the same for every attempt.
  virtual Answer Attempt(const dispatch::Notice& notice, Deadline deadline) = 0;

  // The process ends: attempts that have told nobody anything yet need not go on.
  virtual void Interrupt() {}
};

}  // namespace vigia::alerting::outbox
