#include "collectors/scheduler.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <list>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "core/log.h"

namespace vigia::collectors {
namespace {

// After so many failed runs in a row scrapes no longer start an instance; its own ticks go on,
// so a source that returns is seen within one interval.
constexpr int kFailuresBeforeBackoff = 3;

// A reading older than so many intervals is not shown: its worker does not get to it.
constexpr int kMaxAgeIntervals = 3;

// After a scrape the next tick comes a little later than one interval, so that a scraper at the
// same interval, with its own jitter, comes first again.
Duration TickSlack(Milliseconds interval) { return std::min<Milliseconds>(interval / 8, 500ms); }

constexpr Duration kWatchInterval = 1s;

// Once a worker is awake it also runs what is due so soon after: one wake-up instead of many for
// instances whose ticks have drifted apart.
Duration TickCoalescing(Milliseconds interval) {
  return std::min<Milliseconds>(interval / 10, 100ms);
}

// A scrape that waits for some runs to end.
struct Wait {
  std::size_t remaining = 0;
  std::condition_variable_any done;
};

// One instance and its state. Everything but what a run uses is guarded by Core::mutex.
struct Runner {
  Runner(Instance i)
      : instance(std::move(i)),
        id(std::make_shared<const InstanceId>(instance.id)),
        batch({.constant_labels = instance.constant_labels, .budget = instance.max_series}) {
    state.id = instance.id;
    state.interval = instance.interval;
    state.timeout = instance.timeout;
  }

  // Used by the worker's thread alone, without the mutex.
  Instance instance;
  const std::shared_ptr<const InstanceId> id;
  Batch batch;

  bool requested = false;  // by a scrape
  bool running = false;
  bool expired = false;  // the run in progress, or the reading, has been given up
  bool removed = false;  // no longer configured: what the run brings is not published
  Instant due{};
  Instant started{};  // of the run in progress, or of the last one
  Timestamp started_wall = 0;
  int failures_in_row = 0;
  std::shared_ptr<const Reading> reading;     // of the last run, if it was good
  std::shared_ptr<const Reading> last_words;  // of a failed run, if it left any
  std::vector<Wait*> waits;
  InstanceState state;

  bool Matches(const Instance& other) const {
    return instance.id == other.id && instance.worker == other.worker &&
           instance.fingerprint == other.fingerprint;
  }

  // Whether a scrape at `now` should start it.
  bool WantsScrape(Instant now) const {
    if (running || requested || failures_in_row >= kFailuresBeforeBackoff) return false;
    return !state.has_run || now - started > instance.interval / 2;
  }

  // Whether a scrape should wait for it: a run that took longer last time will not make it.
  bool WorthWaiting(Milliseconds scrape_wait) const {
    return state.duration_seconds <= std::chrono::duration<double>(scrape_wait).count();
  }
};

// A thread and the runners it runs, one after another.
struct Worker {
  std::string name;
  std::vector<std::shared_ptr<Runner>> runners;
  std::condition_variable_any wake;
  std::stop_source stop;
  std::thread thread;
  bool finished = false;  // guarded by Core::mutex

  bool AnyRequested() const {
    return std::any_of(runners.begin(), runners.end(), [](auto& r) { return r->requested; });
  }
  // Whether it has been in one run since `instant` or longer, so that nothing else gets its turn.
  bool BusySince(Instant instant) const {
    return std::any_of(runners.begin(), runners.end(),
                       [&](auto& r) { return r->running && r->started <= instant; });
  }
  // Requested ones first, then those due by `now`; nullptr if there is none.
  Runner* Next(Instant now) const {
    for (const auto& runner : runners) {
      if (runner->requested) return runner.get();
    }
    for (const auto& runner : runners) {
      if (runner->due <= now) return runner.get();
    }
    return nullptr;
  }
  Milliseconds ShortestInterval() const {
    Milliseconds shortest = Milliseconds::max();
    for (const auto& runner : runners) shortest = std::min(shortest, runner->instance.interval);
    return shortest;
  }
  Instant EarliestDue() const {
    Instant earliest = Instant::max();
    for (const auto& runner : runners) earliest = std::min(earliest, runner->due);
    return earliest;
  }
};

}  // namespace

// What the threads share; they keep it alive, so one that is abandoned in a hung collector may
// return after the scheduler has gone.
struct Scheduler::Core : std::enable_shared_from_this<Core> {
  Core(Clock& c, Options o, std::vector<ReadingSink*> s)
      : clock(c), options(o), sinks(std::move(s)), random(o.seed) {}

  // Constant after construction.
  Clock& clock;
  const Options options;
  const std::vector<ReadingSink*> sinks;

  mutable std::mutex mutex;
  // Guarded by mutex.
  std::vector<std::shared_ptr<Runner>> runners;  // in the order of configuration
  std::list<std::shared_ptr<Worker>> workers;
  std::list<std::shared_ptr<Worker>> retired;  // asked to stop, not joined yet
  InstanceId last;
  std::uint64_t version = 0;
  bool stopped = false;
  std::mt19937_64 random;
  std::condition_variable_any worker_finished;
  std::condition_variable_any watch_wake;
  std::stop_source watch_stop;
  std::thread watch;

  using Lock = std::unique_lock<std::mutex>;

  void StartWorker(std::shared_ptr<Worker> worker);
  void WorkerLoop(Worker& worker);
  void RunOnce(Runner& runner, Lock& lock);
  void Finish(Runner& runner, Status status, Duration took, Lock& lock);
  void Succeeded(Runner& runner, Lock& lock);
  void Failed(Runner& runner, const Error& error, Lock& lock);
  void ReleaseWaits(Runner& runner);
  void WatchLoop();
  void Expire(Lock& lock);
  bool IsLate(const Runner& runner, Instant now) const;
  void Request(const Filter& filter, Instant until, Lock& lock);
  Snapshot TakeSnapshot() const;
  void Retire(const std::shared_ptr<Worker>& worker);
  void JoinFinished();
};

void Scheduler::Core::StartWorker(std::shared_ptr<Worker> worker) {
  workers.push_back(worker);
  worker->thread = std::thread([core = shared_from_this(), worker] { core->WorkerLoop(*worker); });
}

void Scheduler::Core::WorkerLoop(Worker& worker) {
  Lock lock(mutex);
  const auto stop = worker.stop.get_token();
  const auto coalescing = TickCoalescing(worker.ShortestInterval());
  Instant horizon{};  // what is due by then is run without waiting
  while (!stop.stop_requested()) {
    const Instant now = clock.Now();
    if (worker.EarliestDue() <= now) horizon = std::max(horizon, now + coalescing);
    if (Runner* runner = worker.Next(std::max(now, horizon))) {
      RunOnce(*runner, lock);
    } else {
      horizon = {};
      clock.WaitUntil(lock, worker.wake, stop, worker.EarliestDue(),
                      [&] { return worker.AnyRequested(); });
    }
  }
  worker.finished = true;
  worker_finished.notify_all();
}

void Scheduler::Core::RunOnce(Runner& runner, Lock& lock) {
  const Instant start = clock.Now();
  runner.due = start + runner.instance.interval;
  if (runner.requested) runner.due += TickSlack(runner.instance.interval);
  runner.requested = false;
  runner.running = true;
  runner.expired = false;
  runner.started = start;
  runner.started_wall = clock.Wall();

  lock.unlock();
  Status status = Ok();
  try {
    status = runner.instance.impl->Collect(Deadline(clock, start + runner.instance.timeout),
                                           runner.batch);
  } catch (const std::exception& e) {
    status = Fail(ErrorCode::kInternal, e.what());
  }
  const Duration took = clock.Now() - start;
  lock.lock();
  Finish(runner, std::move(status), took, lock);
}

void Scheduler::Core::Finish(Runner& runner, Status status, Duration took, Lock& lock) {
  auto& state = runner.state;
  runner.running = false;
  state.has_run = true;
  state.last_run = runner.started_wall;
  state.duration_seconds = std::chrono::duration<double>(took).count();
  ++state.runs_total;
  if (!status && status.error().code() == ErrorCode::kTimeout && !runner.expired) {
    ++state.timeouts_total;
  }
  if (runner.removed || stopped) {
    runner.batch.Discard();
  } else if (status) {
    Succeeded(runner, lock);
  } else {
    Failed(runner, status.error(), lock);
  }
  ReleaseWaits(runner);
}

void Scheduler::Core::Succeeded(Runner& runner, Lock& lock) {
  auto& state = runner.state;
  const auto reading = runner.batch.Finish(runner.started_wall);
  const int failures = std::exchange(runner.failures_in_row, 0);
  const auto before = state.dropped_series_total + state.duplicate_series_total;
  const bool was_up = state.up;
  state.up = true;
  state.last_error.clear();
  state.last_success = runner.started_wall;
  state.series = reading->SeriesCount();
  state.dropped_series_total += runner.batch.dropped();
  state.duplicate_series_total += runner.batch.duplicates();
  runner.reading = reading;
  runner.last_words = nullptr;
  ++version;

  // Sinks and the log do I/O: not under the lock.
  lock.unlock();
  for (auto* sink : sinks) sink->Publish(runner.instance.id, reading);
  if (!was_up && failures > 0) {
    log::Info("collector recovered", {{"collector", runner.instance.id.collector},
                                      {"instance", runner.instance.id.name},
                                      {"failed_runs", std::to_string(failures)}});
  }
  if (before == 0 && runner.batch.dropped() > 0) {
    log::Warn("collector is over its series budget",
              {{"collector", runner.instance.id.collector},
               {"instance", runner.instance.id.name},
               {"max_series", std::to_string(runner.instance.max_series)},
               {"dropped", std::to_string(runner.batch.dropped())}});
  }
  if (before == 0 && runner.batch.duplicates() > 0) {
    log::Warn("collector reports a series twice", {{"collector", runner.instance.id.collector},
                                                   {"instance", runner.instance.id.name},
                                                   {"series", runner.batch.first_duplicate()}});
  }
  lock.lock();
}

void Scheduler::Core::Failed(Runner& runner, const Error& error, Lock& lock) {
  auto& state = runner.state;
  const bool first = runner.failures_in_row++ == 0;
  ++state.failures_total;
  state.up = false;
  state.last_error = error.message();
  state.series = 0;
  runner.reading = nullptr;
  runner.last_words = runner.batch.FinishFailure(runner.started_wall);
  const auto last_words = runner.last_words;
  const Timestamp time = runner.started_wall;
  ++version;

  lock.unlock();
  for (auto* sink : sinks) sink->Withdraw(runner.instance.id, time, last_words);
  if (first) {
    log::Warn("collector failed", {{"collector", runner.instance.id.collector},
                                   {"instance", runner.instance.id.name},
                                   {"error", error.message()}});
  }
  lock.lock();
}

void Scheduler::Core::ReleaseWaits(Runner& runner) {
  for (Wait* wait : runner.waits) {
    if (--wait->remaining == 0) wait->done.notify_all();
  }
  runner.waits.clear();
}

void Scheduler::Core::WatchLoop() {
  Lock lock(mutex);
  const auto stop = watch_stop.get_token();
  while (!stop.stop_requested()) {
    Expire(lock);
    JoinFinished();
    clock.WaitUntil(lock, watch_wake, stop, clock.Now() + kWatchInterval, [] { return false; });
  }
}

bool Scheduler::Core::IsLate(const Runner& runner, Instant now) const {
  if (runner.expired) return false;
  if (runner.running) return now >= runner.started + runner.instance.timeout;
  return runner.reading && now >= runner.started + kMaxAgeIntervals * runner.instance.interval;
}

// Gives up what is late: runs past their timeout, and readings that nobody renews.
void Scheduler::Core::Expire(Lock& lock) {
  const Instant now = clock.Now();
  const auto all = runners;  // the lock is released below
  for (const auto& runner : all) {
    if (!IsLate(*runner, now)) continue;
    runner->expired = true;
    auto& state = runner->state;
    const bool was_up = state.up;
    if (runner->running) ++state.timeouts_total;
    state.has_run = true;
    state.up = false;
    state.series = 0;
    state.last_error = runner->running
                           ? "no answer within " + FormatDuration(runner->instance.timeout)
                           : "not run for " + std::to_string(kMaxAgeIntervals) + " intervals";
    runner->reading = nullptr;
    if (runner->failures_in_row++ == 0 || was_up) {
      const std::string error = state.last_error;
      lock.unlock();
      log::Warn("collector failed", {{"collector", runner->instance.id.collector},
                                     {"instance", runner->instance.id.name},
                                     {"error", error}});
      lock.lock();
    }
    ++version;
    ReleaseWaits(*runner);
    const Timestamp time = clock.Wall();
    lock.unlock();
    for (auto* sink : sinks) sink->Withdraw(runner->instance.id, time, nullptr);
    lock.lock();
  }
}

// Starts the runners that fit `filter` and want it, and waits for them until `until`.
void Scheduler::Core::Request(const Filter& filter, Instant until, Lock& lock) {
  const Instant now = clock.Now();
  Wait wait;
  for (const auto& worker : workers) {
    const bool busy = worker->BusySince(now - options.scrape_wait);
    bool wake = false;
    for (const auto& runner : worker->runners) {
      if (!filter(runner->instance.id)) continue;
      const bool start = runner->WantsScrape(now);
      // A run that has just begun, by its tick or for another scrape, is as good as our own.
      const bool under_way = runner->requested || (runner->running && !busy);
      if (start) runner->requested = wake = true;
      if ((start || under_way) && !busy && runner->WorthWaiting(options.scrape_wait)) {
        runner->waits.push_back(&wait);
        ++wait.remaining;
      }
    }
    if (wake) worker->wake.notify_all();
  }
  if (wait.remaining == 0) return;
  clock.WaitUntil(lock, wait.done, {}, until, [&] { return wait.remaining == 0; });
  for (const auto& runner : runners) std::erase(runner->waits, &wait);
}

Snapshot Scheduler::Core::TakeSnapshot() const {
  Snapshot snapshot;
  snapshot.version = version;
  snapshot.entries.reserve(runners.size());
  for (const auto& runner : runners) {
    const auto& reading = runner->reading ? runner->reading : runner->last_words;
    if (reading) snapshot.entries.push_back({runner->id, reading});
  }
  return snapshot;
}

void Scheduler::Core::Retire(const std::shared_ptr<Worker>& worker) {
  for (const auto& runner : worker->runners) {
    runner->removed = true;
    ReleaseWaits(*runner);
  }
  worker->stop.request_stop();
  retired.push_back(worker);
}

// A finished worker holds no lock any more and runs nothing: its join does not block.
void Scheduler::Core::JoinFinished() {
  std::erase_if(retired, [](const auto& worker) {
    if (!worker->finished) return false;
    worker->thread.join();
    return true;
  });
}

Scheduler::Scheduler(Clock& clock, Options options, std::vector<ReadingSink*> sinks)
    : core_(std::make_shared<Core>(clock, options, std::move(sinks))) {
  core_->watch = std::thread([core = core_] { core->WatchLoop(); });
}

Scheduler::~Scheduler() { Stop(); }

void Scheduler::Apply(std::vector<Instance> instances, const InstanceId& last) {
  auto& core = *core_;
  Core::Lock lock(core.mutex);
  core.last = last;
  const auto old = std::exchange(core.runners, {});
  std::vector<std::shared_ptr<Worker>> fresh;
  for (auto& instance : instances) {
    const auto kept =
        std::find_if(old.begin(), old.end(), [&](const auto& r) { return r->Matches(instance); });
    if (kept != old.end()) {
      core.runners.push_back(*kept);
      continue;
    }
    auto at = std::find_if(fresh.begin(), fresh.end(),
                           [&](const auto& w) { return w->name == instance.worker; });
    if (at == fresh.end()) {
      fresh.push_back(std::make_shared<Worker>());
      fresh.back()->name = instance.worker;
      at = std::prev(fresh.end());
    }
    // One jitter for all of a worker: they run one after another anyway.
    const auto spread = std::min<Milliseconds>(instance.interval / 10, 1000ms);
    auto runner = std::make_shared<Runner>(std::move(instance));
    runner->due =
        (*at)->runners.empty()
            ? core.clock.Now() +
                  Milliseconds(core.random() % static_cast<std::uint64_t>(spread.count() + 1))
            : (*at)->runners.front()->due;
    runner->started = core.clock.Now();
    core.runners.push_back(runner);
    (*at)->runners.push_back(runner);
  }
  std::vector<InstanceId> gone;
  for (auto at = core.workers.begin(); at != core.workers.end();) {
    auto& runners = (*at)->runners;
    const bool kept = std::any_of(runners.begin(), runners.end(), [&](const auto& r) {
      return std::find(core.runners.begin(), core.runners.end(), r) != core.runners.end();
    });
    if (kept) {
      ++at;
      continue;
    }
    for (const auto& runner : runners) gone.push_back(runner->instance.id);
    core.Retire(*at);
    at = core.workers.erase(at);
  }
  for (auto& worker : fresh) core.StartWorker(std::move(worker));
  ++core.version;
  const auto empty = std::make_shared<Reading>();
  empty->time = core.clock.Wall();
  lock.unlock();
  for (const auto& id : gone) {
    for (auto* sink : core.sinks) sink->Publish(id, empty);
  }
}

Snapshot Scheduler::Scrape(const Filter& filter, Milliseconds wait) {
  auto& core = *core_;
  Core::Lock lock(core.mutex);
  core.Expire(lock);
  const Instant until = core.clock.Now() + std::min(wait, core.options.scrape_wait);
  const auto chosen = [&](const InstanceId& id) { return !filter || filter(id); };
  core.Request([&](const InstanceId& id) { return id != core.last && chosen(id); }, until, lock);
  // It reads only memory, so it is given its time even when the others have used theirs up.
  core.Request([&](const InstanceId& id) { return id == core.last && chosen(id); },
               core.clock.Now() + core.options.scrape_wait, lock);
  return core.TakeSnapshot();
}

Snapshot Scheduler::Current() const {
  const std::lock_guard lock(core_->mutex);
  return core_->TakeSnapshot();
}

std::vector<InstanceState> Scheduler::States() const {
  const std::lock_guard lock(core_->mutex);
  std::vector<InstanceState> states;
  states.reserve(core_->runners.size());
  for (const auto& runner : core_->runners) states.push_back(runner->state);
  return states;
}

void Scheduler::Stop(Milliseconds grace) {
  auto& core = *core_;
  Core::Lock lock(core.mutex);
  if (std::exchange(core.stopped, true)) return;
  for (const auto& worker : std::exchange(core.workers, {})) core.Retire(worker);
  core.watch_stop.request_stop();
  // Real time, whatever the clock of the tests says: this waits for threads.
  core.worker_finished.wait_for(lock, grace, [&] {
    return std::all_of(core.retired.begin(), core.retired.end(),
                       [](const auto& worker) { return worker->finished; });
  });
  auto retired = std::exchange(core.retired, {});
  lock.unlock();
  for (const auto& worker : retired) {
    if (worker->finished) {
      worker->thread.join();
    } else {
      worker->thread.detach();
    }
  }
  core.watch.join();
}

}  // namespace vigia::collectors
