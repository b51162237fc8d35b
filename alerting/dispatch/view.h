// What the dispatcher shows of itself, for the APIs: copies, good at the time of asking.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "alerting/dispatch/acknowledgement.h"
#include "alerting/dispatch/known_alert.h"
#include "alerting/dispatch/log.h"
#include "core/duration.h"

namespace vigia::alerting::dispatch {

struct AlertView {
  AlertPtr alert;
  std::vector<std::string> silenced_by;  // ids of silences
  std::vector<AlertId> inhibited_by;     // alerts
  std::vector<std::string> muted_by;     // time intervals, of all its routes
  std::vector<std::string> receivers;
  std::optional<Acknowledgement> ack;

  bool suppressed() const {
    return !silenced_by.empty() || !inhibited_by.empty() || !muted_by.empty();
  }
};

struct GroupView {
  Labels labels;
  std::string key;
  std::string receiver;
  std::string muted_by;  // empty: not muted
  std::vector<AlertView> alerts;
};

// One route that an alert takes.
struct WayView {
  std::string route;  // its key
  std::string receiver;
  std::string group_key;
  std::string muted_by;
  bool waiting_for_start = false;  // before the first evaluation
  bool grouped = false;            // the group knows the alert
  Milliseconds next_flush{};       // from now
  bool flushed = false;
  struct Told {
    std::size_t integration = 0;
    std::string kind;
    std::optional<LogEntry> entry;
  };
  std::vector<Told> told;
};

struct DispatcherStats {
  std::uint64_t received = 0;
  std::uint64_t invalid = 0;
  std::uint64_t notices = 0;
  std::uint64_t suppressed = 0;
  std::uint64_t failed_writes = 0;
  bool state_at_risk = false;
  std::size_t alerts = 0;  // firing now
  std::size_t suppressed_alerts = 0;
  std::size_t resolved_alerts = 0;
  std::size_t groups = 0;
  std::size_t silences_active = 0;
  std::size_t silences_pending = 0;
  std::size_t silences_expired = 0;
};

}  // namespace vigia::alerting::dispatch
