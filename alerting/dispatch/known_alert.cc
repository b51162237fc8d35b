#include "alerting/dispatch/known_alert.h"

#include <algorithm>

namespace vigia::alerting::dispatch {

KnownAlert Complete(const Alert& alert, Timestamp now, Timestamp resolve_timeout) {
  KnownAlert known{.alert = alert, .fingerprint = Fingerprint(alert.labels)};
  known.alert.updated_at = now;
  if (alert.ends_at == 0) {
    known.end_assumed = true;
    known.alert.ends_at = now + resolve_timeout;
  }
  if (alert.starts_at == 0) known.alert.starts_at = std::min(now, known.alert.ends_at);
  return known;
}

KnownAlert Merge(const KnownAlert& old, KnownAlert next, Timestamp now) {
  const auto& was = old.alert;
  auto& is = next.alert;
  const bool overlaps = (is.ends_at > was.starts_at && is.ends_at < was.ends_at) ||
                        (is.starts_at >= was.starts_at && is.starts_at < was.ends_at) ||
                        is.starts_at == was.starts_at;
  if (!overlaps) return next;
  is.starts_at = std::min(is.starts_at, was.starts_at);
  if (next.ResolvedAt(now)) {
    if (old.ResolvedAt(now)) is.ends_at = std::max(is.ends_at, was.ends_at);
  } else if (was.ends_at > is.ends_at && !old.end_assumed) {
    is.ends_at = was.ends_at;
    next.end_assumed = false;
  }
  return next;
}

}  // namespace vigia::alerting::dispatch
