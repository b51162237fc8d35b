#include "collectors/scheduler.h"

#include <algorithm>
#include <utility>

#include "collectors/scheduler_core.h"

namespace vigia::collectors {
namespace {

// The workers of a configuration, while it is put together.
class WorkerList {
 public:
  std::shared_ptr<Worker> Find(const std::string& name) {
    const auto at = std::find_if(workers_.begin(), workers_.end(),
                                 [&](const auto& worker) { return worker->name == name; });
    if (at != workers_.end()) return *at;
    return workers_.emplace_back(std::make_shared<Worker>(name));
  }
  const std::vector<std::shared_ptr<Worker>>& workers() const { return workers_; }

 private:
  std::vector<std::shared_ptr<Worker>> workers_;
};

}  // namespace

// Starts the runners that fit `filter` and want it, and waits for them until `until`.
void Scheduler::Core::Request(const Filter& filter, Instant until, Lock& lock) {
  const Instant now = clock.Now();
  Wait wait;
  std::vector<std::shared_ptr<Worker>> brief;
  std::vector<std::shared_ptr<Worker>> others;
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
    if (!wake || worker->taken) continue;  // who has taken it sees the requests
    (worker->AllBrief() ? brief : others).push_back(worker);
  }
  for (const auto& worker : brief) {
    if (!worker->taken) StandIn(*worker, lock);
  }
  for (const auto& worker : others) worker->wake.notify_all();
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
  WorkerList fresh;
  for (auto& instance : instances) {
    const auto kept =
        std::find_if(old.begin(), old.end(), [&](const auto& r) { return r->Matches(instance); });
    if (kept != old.end()) {
      core.runners.push_back(*kept);
      continue;
    }
    const auto worker = fresh.Find(instance.worker);
    // One jitter for all of a worker: they run one after another anyway.
    const auto spread = std::min<Milliseconds>(instance.interval / 10, 1000ms);
    auto runner = std::make_shared<Runner>(std::move(instance));
    runner->due =
        worker->runners.empty()
            ? core.clock.Now() +
                  Milliseconds(core.random() % static_cast<std::uint64_t>(spread.count() + 1))
            : worker->runners.front()->due;
    runner->started = core.clock.Now();
    core.runners.push_back(runner);
    worker->runners.push_back(std::move(runner));
  }
  std::vector<std::shared_ptr<Runner>> gone;
  for (auto at = core.workers.begin(); at != core.workers.end();) {
    const auto worker = *at;
    const bool kept =
        std::any_of(worker->runners.begin(), worker->runners.end(), [&](const auto& r) {
          return std::find(core.runners.begin(), core.runners.end(), r) != core.runners.end();
        });
    if (kept) {
      ++at;
      continue;
    }
    gone.insert(gone.end(), worker->runners.begin(), worker->runners.end());
    core.Retire(worker);
    at = core.workers.erase(at);
  }
  for (const auto& worker : fresh.workers()) core.StartWorker(worker);
  ++core.version;
  const auto empty = std::make_shared<Reading>();
  empty->time = core.clock.Wall();
  for (const auto& runner : gone) {
    runner->delivery.Publish(empty);
    runner->delivery.Run(runner->instance.id, core.sinks, lock);
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
