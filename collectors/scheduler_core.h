// What the scheduler's threads share; they keep it alive, so one that is abandoned in a hung
// collector may return after the scheduler has gone.

#pragma once

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "collectors/runner.h"
#include "collectors/scheduler.h"
#include "core/clock.h"

namespace vigia::collectors {

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

  // Held on entry and exit by all that take one.
  using Lock = std::unique_lock<std::mutex>;

  // Workers (scheduler_core.cc).
  void StartWorker(std::shared_ptr<Worker> worker);
  void WorkerLoop(Worker& worker);
  // Runs what is requested of a brief worker in the calling thread, in place of the worker's.
  void StandIn(Worker& worker, Lock& lock);
  void Retire(const std::shared_ptr<Worker>& worker);
  void JoinFinished();

  // Runs (scheduler_run.cc).
  void RunOnce(Runner& runner, Lock& lock);
  void Finish(Runner& runner, Status status, Duration took, Lock& lock);
  void Succeeded(Runner& runner, Lock& lock);
  void Failed(Runner& runner, const Error& error, Lock& lock);
  void CameTooLate(Runner& runner, const Status& status, Lock& lock);

  // The watch (scheduler_core.cc).
  void WatchLoop();
  void Expire(Lock& lock);
  void GiveUp(Runner& runner, Lock& lock);
  void FreeNeighbours();

  // Scrapes (scheduler.cc).
  void Request(const Filter& filter, Instant until, Lock& lock);
  Snapshot TakeSnapshot() const;
};

}  // namespace vigia::collectors
