// One alert of one rule: which labels, in which state, since when.

#pragma once

#include <cstdint>
#include <string_view>

#include "core/labels.h"
#include "core/sample.h"

namespace vigia::alerting::rules {

enum class AlertState : std::uint8_t { kInactive, kPending, kFiring };

// "inactive", "pending", "firing".
std::string_view Name(AlertState state);

// Times are Unix milliseconds, 0 for "not yet".
struct AlertInstance {
  Labels labels;  // the result's own, the rule's and "alertname"
  Labels annotations;
  AlertState state = AlertState::kPending;
  // Data is missing, so the state is that of before.
  bool held = false;
  int missed = 0;  // evaluations in a row without data
  double value = 0;
  Timestamp active_at = 0;
  Timestamp fired_at = 0;
  Timestamp resolved_at = 0;
  Timestamp keep_firing_since = 0;
  Timestamp last_sent_at = 0;
  Timestamp valid_until = 0;

  bool active() const { return state != AlertState::kInactive; }

  friend bool operator==(const AlertInstance&, const AlertInstance&) = default;
};

}  // namespace vigia::alerting::rules
