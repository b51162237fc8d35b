#include "collectors/scheduler_core.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "core/log.h"

namespace vigia::collectors {
namespace {

constexpr Duration kWatchInterval = 1s;

// A run that takes longer does not keep the others of its worker waiting: they get a new thread.
constexpr Duration kStuck = 1s;

// Once a worker is awake it also runs what is due so soon after: one wake-up instead of many for
// instances whose ticks have drifted apart.
Duration TickCoalescing(Milliseconds interval) {
  return std::min<Milliseconds>(interval / 10, 100ms);
}

// Threads have names of up to 15 characters; of "host/local/slow" the last ones tell most.
void NameThread(std::thread& thread, std::string_view name) {
  constexpr std::size_t kLongest = 15;
  if (name.size() > kLongest) name.remove_prefix(name.size() - kLongest);
  ::pthread_setname_np(thread.native_handle(), std::string(name).c_str());
}

}  // namespace

void Scheduler::Core::StartWorker(std::shared_ptr<Worker> worker) {
  workers.push_back(worker);
  worker->thread = std::thread([core = shared_from_this(), worker] { core->WorkerLoop(*worker); });
  NameThread(worker->thread, worker->name);
}

void Scheduler::Core::WorkerLoop(Worker& worker) {
  Lock lock(mutex);
  const auto stop = worker.stop.get_token();
  Instant horizon{};  // what is due by then is run without waiting
  while (!stop.stop_requested()) {
    if (worker.taken) {
      worker.queued = true;
      clock.WaitUntil(lock, worker.wake, stop, Instant::max(), [&] { return !worker.taken; });
      worker.queued = false;
      continue;
    }
    const Instant now = clock.Now();
    if (worker.EarliestDue() <= now) {
      horizon = std::max(horizon, now + TickCoalescing(worker.ShortestInterval()));
    }
    if (const auto runner = worker.Next(std::max(now, horizon), options.scrape_wait)) {
      worker.taken = true;
      RunOnce(*runner, lock);
      worker.taken = false;
    } else {
      horizon = {};
      clock.WaitUntil(lock, worker.wake, stop, worker.EarliestDue(),
                      [&] { return worker.AnyRequested() && !worker.taken; });
    }
  }
  worker.finished = true;
  worker_finished.notify_all();
}

void Scheduler::Core::StandIn(Worker& worker, Lock& lock) {
  worker.taken = true;
  while (const auto runner = stopped ? nullptr : worker.NextRequested(options.scrape_wait)) {
    RunOnce(*runner, lock);
    // It does block, after all: its own thread goes on, and no scrape stands in again.
    if (!runner->WorthWaiting(options.scrape_wait)) runner->brief = false;
    if (!worker.AllBrief()) break;
  }
  worker.taken = false;
  // Its thread has slept through this, unless a tick has come meanwhile.
  if (worker.queued || worker.AnyRequested()) worker.wake.notify_all();
}

void Scheduler::Core::Retire(const std::shared_ptr<Worker>& worker) {
  for (const auto& runner : worker->runners) {
    runner->removed = true;
    runner->ReleaseWaits();
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

void Scheduler::Core::WatchLoop() {
  Lock lock(mutex);
  const auto stop = watch_stop.get_token();
  while (!stop.stop_requested()) {
    Expire(lock);
    FreeNeighbours();
    JoinFinished();
    clock.WaitUntil(lock, watch_wake, stop, clock.Now() + kWatchInterval, [] { return false; });
  }
}

// Gives up what is late: runs past their timeout, and readings that nobody renews.
void Scheduler::Core::Expire(Lock& lock) {
  const Instant now = clock.Now();
  std::vector<std::shared_ptr<Runner>> late;  // the lock is released below
  for (const auto& runner : runners) {
    if (runner->IsLate(now)) late.push_back(runner);
  }
  for (const auto& runner : late) {
    if (runner->IsLate(now) && !runner->removed) GiveUp(*runner, lock);
  }
}

void Scheduler::Core::GiveUp(Runner& runner, Lock& lock) {
  runner.expired = true;
  auto& state = runner.state;
  const bool was_up = state.up;
  if (runner.running) ++state.timeouts_total;
  state.has_run = true;
  state.up = false;
  state.series = 0;
  state.last_error = runner.running
                         ? "no answer within " + FormatDuration(runner.instance.timeout)
                         : "not run for " + std::to_string(Runner::kMaxAgeIntervals) + " intervals";
  const std::string error = state.last_error;
  const bool first = runner.failures_in_row++ == 0 || was_up;
  runner.reading = nullptr;
  ++version;
  runner.ReleaseWaits();
  runner.delivery.Withdraw(clock.Wall(), nullptr);
  runner.delivery.Run(runner.instance.id, sinks, lock);
  if (!first) return;
  lock.unlock();
  log::Warn("collector failed", {{"collector", runner.instance.id.collector},
                                 {"instance", runner.instance.id.name},
                                 {"error", error}});
  lock.lock();
}

// Moves the runners that share a worker with one that is stuck to a thread of their own.
void Scheduler::Core::FreeNeighbours() {
  const Instant since = clock.Now() - kStuck;
  std::vector<std::shared_ptr<Worker>> fresh;
  for (const auto& worker : workers) {
    if (worker->runners.size() < 2 || !worker->BusySince(since)) continue;
    auto next = std::make_shared<Worker>(worker->name);
    const auto stuck = std::partition(worker->runners.begin(), worker->runners.end(),
                                      [](const auto& runner) { return runner->running; });
    std::move(stuck, worker->runners.end(), std::back_inserter(next->runners));
    worker->runners.erase(stuck, worker->runners.end());
    fresh.push_back(std::move(next));
  }
  for (auto& worker : fresh) StartWorker(std::move(worker));
}

}  // namespace vigia::collectors
