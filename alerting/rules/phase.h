// When a group is evaluated next: Prometheus' aligned ticks, or right behind the readings that
// feed it.
//
// Without feeds the ticks of a group are its interval apart and shifted by a hash of its key, as
// in Prometheus. A group that reads collectors whose interval divides its own moves its ticks to
// just behind their readings: it is due as soon as all of them have reported for this tick, or a
// little after the tick if one of them does not. Ticks stay one interval apart, so that `for`
// counts the same; they move only when the readings do.
//
// Plain arithmetic on given times; not thread-safe.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/duration.h"
#include "core/reading.h"
#include "core/sample.h"

namespace vigia::alerting::rules {

class Phase {
 public:
  Phase(std::string_view key, Milliseconds interval, Timestamp now);

  // The collectors that feed the group and how often each runs. Those that do not divide the
  // group's interval are left out by the caller.
  void SetFeeds(std::vector<std::pair<InstanceId, Milliseconds>> feeds);

  // A feed has reported a reading of time `read`, whether good or not.
  void OnReading(const InstanceId& feed, Timestamp read);

  // When to begin the evaluation.
  Timestamp due() const { return ready_ ? tick_ : locked_ ? tick_ + Grace() : tick_; }
  // At which time it is then evaluated.
  Timestamp tick() const { return tick_; }
  bool locked() const { return locked_; }

  // The evaluation begins: returns its time and sets out for the next. `missed` counts the ticks
  // that were left out because the one before took too long.
  Timestamp Take(Timestamp now, std::uint64_t& missed);

  // The wall clock was set: ticks start anew if they are out of reach.
  void Check(Timestamp now);

 private:
  struct Feed {
    Milliseconds interval;
    bool reported = false;  // for the tick that is awaited
  };

  void Align(Timestamp now);
  Timestamp Grace() const;

  std::uint64_t hash_;
  std::int64_t interval_;
  Timestamp tick_ = 0;  // the next
  Timestamp last_ = 0;  // the one before; 0: none yet
  bool locked_ = false;
  bool ready_ = false;
  int early_ = 0;  // readings in a row that came well before the tick
  int blind_ = 0;  // ticks in a row for which the readings did not come in time
  std::map<InstanceId, Feed> feeds_;
};

}  // namespace vigia::alerting::rules
