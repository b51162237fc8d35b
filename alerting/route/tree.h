// The routing tree: which receivers hear of an alert, grouped and paced how.
//
// An alert enters at the root and goes down: the first child that matches takes it, unless that
// child says `continue`; where no child matches, the node itself handles it. Options that a route
// does not give are those of its parent. Immutable once built; thread-safe.

#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "alerting/route/matcher.h"
#include "alerting/route/time_interval.h"
#include "core/config/diagnostics.h"
#include "core/config/node.h"
#include "core/duration.h"

namespace vigia::alerting::route {

struct Route {
  std::string receiver;
  Matchers matchers;  // sorted
  bool continues = false;
  std::vector<std::string> group_by;  // sorted
  bool group_by_all = false;          // "...": every alert is a group of its own
  Milliseconds group_wait{30'000};
  Milliseconds group_interval{300'000};
  Milliseconds repeat_interval{14'400'000};
  std::vector<std::string> mute_time_intervals;
  std::vector<std::string> active_time_intervals;
  std::map<std::string, std::string> labels;  // values are templates
  std::vector<std::unique_ptr<Route>> routes;

  // "{}/{severity=\"page\"}": the matchers from the root down to here.
  std::string key;
  // The number in the order of the file; tells routes of the same key apart.
  std::size_t index = 0;
  config::Position position;

  // The labels of `alert` that make its group.
  Labels GroupLabels(const Labels& alert) const;
};

struct Tree {
  Route root;
  std::map<std::string, NamedIntervals, std::less<>> intervals;

  // The routes that handle an alert, in the order of the file; never empty.
  std::vector<const Route*> Match(const Labels& alert) const;

  // Whether notifications of `route` are held back at `time`: inside of a mute interval, or outside
  // of all active ones. The name of the interval that says so; empty if none does.
  std::string MutedBy(const Route& route, Timestamp time) const;
};

// Reads `route`. Names of receivers and intervals are only collected: whether they exist is for
// the caller to say, who has read the whole file.
void ReadTree(const config::Node& node, config::Diagnostics& diagnostics, Tree& tree);

// Calls `visit` for every route, parents first.
template <typename Visit>
void ForEachRoute(const Route& route, Visit&& visit) {
  visit(route);
  for (const auto& child : route.routes) ForEachRoute(*child, visit);
}

// `group_wait: 0s` and the like: a duration that may be zero. True if the key is there.
bool ReadDuration(const config::Node& map, std::string_view key, config::Diagnostics& diagnostics,
                  Milliseconds& out);

// Matchers under `key`: one text, or a list of them.
void ReadMatchers(const config::Node& node, config::Diagnostics& diagnostics, Matchers& out);
// The older form, a map of names and values: `match`, and with `regex` `match_re`.
void ReadMatchMap(const config::Node& node, bool regex, config::Diagnostics& diagnostics,
                  Matchers& out);

}  // namespace vigia::alerting::route
