// An alert as the dispatcher keeps it, and what one sender after another says about it.

#pragma once

#include <memory>

#include "alerting/alert.h"
#include "alerting/dispatch/identity.h"

namespace vigia::alerting::dispatch {

using alerting::Alert;

// Immutable and shared: an update is a new one.
struct KnownAlert {
  Alert alert;  // all times set
  AlertId fingerprint = 0;
  // The sender did not say when it ends: `ends_at` is when it counts as ended if nobody sends
  // it again.
  bool end_assumed = false;

  bool ResolvedAt(Timestamp now) const { return alert.ResolvedAt(now); }
};

using AlertPtr = std::shared_ptr<const KnownAlert>;

// What arrived at `now`, with the times filled in that it lacks: it starts now, and ends
// `resolve_timeout` from now.
KnownAlert Complete(const Alert& alert, Timestamp now, Timestamp resolve_timeout);

// `next` arrived while `old` was known. Where their times overlap it is the same event: the
// earlier start stays, and an end that was said counts more than one that was assumed. Otherwise
// the alert has begun anew.
KnownAlert Merge(const KnownAlert& old, KnownAlert next, Timestamp now);

}  // namespace vigia::alerting::dispatch
