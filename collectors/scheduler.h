// The Scheduler runs the collectors and keeps the last good reading of each.
//
// Phase lock: every instance is run once per interval. A scrape that finds a reading older
// than half its interval starts that instance at once and waits for it, for all of them
// together a short bounded time; the next tick is counted from there. When Prometheus
// scrapes at the collectors' interval the two fall into step: one run per scrape, fresh
// values, even spacing. A run that is known to be late is not waited for, so a hung source
// costs a scrape nothing.
//
// Instances of one worker share its thread. Brief ones (kind.h) are run by the scrape itself, in
// place of their thread: to wake a thread costs more than most of them. When a run takes longer
// than a second, the others of its worker get a new thread.
//
// A failed run publishes nothing: the instance's series are withdrawn as *unknown* until the
// next good run. So does one that ends after its timeout, whatever it brings. Timing, budget, success and the log lines of all collectors live here.
//
// Thread-safe.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "collectors/kind.h"
#include "core/clock.h"
#include "core/reading.h"

namespace vigia::collectors {

// What is known of an instance at one moment.
struct InstanceState {
  InstanceId id;
  Milliseconds interval{};
  Milliseconds timeout{};
  bool up = false;              // the last run ended well, in time
  bool has_run = false;         // false until the first run has ended
  double duration_seconds = 0;  // of the last finished run
  Timestamp last_success = 0;   // 0: never
  Timestamp last_run = 0;       // start of the last run; 0: none yet
  std::size_t series = 0;       // in the last good reading
  std::uint64_t dropped_series_total = 0;
  std::uint64_t duplicate_series_total = 0;
  std::uint64_t timeouts_total = 0;
  std::uint64_t failures_total = 0;
  std::uint64_t runs_total = 0;
  std::string last_error;  // of the current failure; empty while up
};

class Scheduler {
 public:
  struct Options {
    // A scrape waits at most so long for all collectors together.
    Milliseconds scrape_wait{100};
    // Of the jitter that spreads the first runs.
    std::uint64_t seed = 0;
  };

  // Chooses instances; an empty one chooses all.
  using Filter = std::function<bool(const InstanceId&)>;

  // `clock` and `sinks` outlive the scheduler.
  Scheduler(Clock& clock, Options options, std::vector<ReadingSink*> sinks = {});
  ~Scheduler();

  // Runs exactly these instances from now on. One whose id, worker and fingerprint are
  // those of a running instance leaves that one running, with its reading and its counts.
  // The series of an instance that goes are *gone*. `last` runs after all others in a scrape: for
  // the instance that reports on the others.
  void Apply(std::vector<Instance> instances, const InstanceId& last = {});

  // Brings readings up to date as described above, then returns them. Waits at most
  // `wait`, and never longer than Options::scrape_wait.
  Snapshot Scrape(const Filter& filter = {}, Milliseconds wait = Milliseconds::max());

  // The readings as they are.
  Snapshot Current() const;

  // In the order of configuration.
  std::vector<InstanceState> States() const;

  // Ends all runs. A run that does not return within `grace` is abandoned with its thread.
  void Stop(Milliseconds grace = Milliseconds(2000));

 private:
  struct Core;
  std::shared_ptr<Core> core_;
};

}  // namespace vigia::collectors
