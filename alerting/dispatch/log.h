// The notification log: what each receiver was last told about each group, which decides whether
// it has to be told again. Not thread-safe: the dispatcher guards it.

#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/dispatch/identity.h"
#include "core/labels.h"
#include "core/sample.h"

namespace vigia::alerting::dispatch {

// Sorted, unique.
using AlertIds = std::vector<AlertId>;

bool Contains(const AlertIds& set, AlertId fingerprint);
bool IsSubset(const AlertIds& part, const AlertIds& whole);

// One integration of one receiver, for one group.
struct LogKey {
  std::string group_key;
  std::string receiver;
  std::size_t integration = 0;

  friend auto operator<=>(const LogKey&, const LogKey&) = default;
};

struct LogEntry {
  Timestamp time = 0;
  AlertIds firing;    // as last told
  AlertIds resolved;  // as last told
  // Told as firing at some time and not as resolved since, though a silence or an inhibition may
  // have kept them out of later notifications: their end is still to be told.
  AlertIds owed;
  Labels group_labels;
};

using NotificationLog = std::map<LogKey, LogEntry>;

enum class Reason { kFirst, kNewAlerts, kSomeResolved, kAllResolved, kRepeat };

// The words that a webhook's `notification_reason` has: "first notification", ...
std::string_view Text(Reason reason);

struct Situation {
  const LogEntry* entry = nullptr;  // nullptr: nothing was told yet
  AlertIds firing;
  AlertIds resolved;
  bool send_resolved = true;
  Timestamp repeat_interval = 0;
  Timestamp now = 0;
};

// Why the receiver has to be told now; nothing if it does not. Alertmanager's decision table
// (notify.DedupStage), and besides: an end that is owed is told.
std::optional<Reason> Decide(const Situation& situation);

// The entry once `firing` and `resolved` have been told.
LogEntry Told(const LogEntry* before, const Situation& situation, Labels group_labels);

}  // namespace vigia::alerting::dispatch
