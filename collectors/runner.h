// What the scheduler keeps of each instance, and the threads that run them. All of it is guarded
// by the scheduler's mutex, but for what a run uses.

#pragma once

#include <condition_variable>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "collectors/delivery.h"
#include "collectors/kind.h"
#include "collectors/scheduler.h"
#include "core/batch.h"
#include "core/clock.h"

namespace vigia::collectors {

// A scrape that waits for some runs to end.
struct Wait {
  std::size_t remaining = 0;
  std::condition_variable_any done;
};

// One instance and its state.
struct Runner {
  // A reading older than so many intervals is not shown: its worker does not get to it.
  static constexpr int kMaxAgeIntervals = 3;

  explicit Runner(Instance i);

  // Used by the thread that runs it alone, without the mutex.
  Instance instance;
  const std::shared_ptr<const InstanceId> id;
  Batch batch;

  bool requested = false;  // by a scrape
  bool running = false;
  bool expired = false;  // the run in progress, or the reading, has been given up
  bool removed = false;  // no longer configured: what the run brings is not published
  bool brief = false;    // its runs do not block: a scrape may run it in its own thread
  Instant due{};
  Instant started{};  // of the run in progress, or of the last one
  Timestamp started_wall = 0;
  int failures_in_row = 0;
  std::shared_ptr<const Reading> reading;     // of the last run, if it was good
  std::shared_ptr<const Reading> last_words;  // of a failed run, if it left any
  std::vector<Wait*> waits;
  Delivery delivery;
  InstanceState state;

  bool Matches(const Instance& other) const;
  // Whether a scrape at `now` should start it.
  bool WantsScrape(Instant now) const;
  // Whether a scrape should wait for it: a run that took longer last time will not make it.
  bool WorthWaiting(Milliseconds scrape_wait) const;
  // Whether its run is past its timeout, or its reading so old that its worker does not get to
  // it; false once that was noticed.
  bool IsLate(Instant now) const;
  void ReleaseWaits();
};

// A thread and the runners it runs, one after another.
struct Worker {
  explicit Worker(std::string n) : name(std::move(n)) {}

  const std::string name;
  std::vector<std::shared_ptr<Runner>> runners;
  std::condition_variable_any wake;
  std::stop_source stop;
  std::thread thread;
  bool finished = false;
  // Its own thread, or a scrape in its place, is at work.
  bool taken = false;
  bool queued = false;  // its own thread waits until the scrape is done

  bool AllBrief() const;
  bool AnyRequested() const;
  // Whether it has been in one run since `instant` or longer, so that nothing else gets its turn.
  bool BusySince(Instant instant) const;
  // Requested ones first, of them those that are usually quick; then those due by `now`; nullptr
  // if there is none.
  std::shared_ptr<Runner> Next(Instant now, Milliseconds quick) const;
  std::shared_ptr<Runner> NextRequested(Milliseconds quick) const;
  Milliseconds ShortestInterval() const;
  Instant EarliestDue() const;
};

}  // namespace vigia::collectors
