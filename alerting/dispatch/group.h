// A group: the alerts of one route with the same group labels, told about together.

#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "alerting/dispatch/known_alert.h"
#include "alerting/route/tree.h"
#include "core/clock.h"

namespace vigia::alerting::dispatch {

// The index of the route, and the labels of the group.
using GroupId = std::pair<std::size_t, Labels>;

struct Group {
  GroupId id;
  const route::Route* route = nullptr;  // of the current plan
  Labels labels;
  std::string key;  // "{}/{severity=\"page\"}:{alertname=\"X\"}"
  std::set<AlertId> alerts;
  // Those of `alerts` that belong elsewhere since the routes changed: only their end is told.
  std::set<AlertId> guests;
  Instant next_flush{};
  bool flushed = false;
  bool emptied = false;              // goes away at the next flush unless an alert joins
  std::optional<Instant> last_told;  // when anybody was last told
  std::string muted_by;              // at the last flush
  // No alert belongs here any more since the routes changed; what is left is to tell the ends of
  // those that somebody was told about.
  bool retired = false;
  std::string receiver;  // the route's, or that of the route which is gone
};

}  // namespace vigia::alerting::dispatch
