// One run of an instance, and what becomes of it.

#include <exception>
#include <utility>

#include "collectors/scheduler_core.h"
#include "core/log.h"

namespace vigia::collectors {
namespace {

// After a scrape the next tick comes a little later than one interval, so that a scraper at the
// same interval, with its own jitter, comes first again.
Duration TickSlack(Milliseconds interval) { return std::min<Milliseconds>(interval / 8, 500ms); }

}  // namespace

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
  } else if (runner.expired) {
    CameTooLate(runner, status, lock);
  } else if (status) {
    Succeeded(runner, lock);
  } else {
    Failed(runner, status.error(), lock);
  }
  runner.ReleaseWaits();
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
  runner.delivery.Publish(reading);
  runner.delivery.Run(runner.instance.id, sinks, lock);

  const bool recovered = !was_up && failures > 0;
  const bool over_budget = before == 0 && runner.batch.dropped() > 0;
  const bool duplicates = before == 0 && runner.batch.duplicates() > 0;
  if (!recovered && !over_budget && !duplicates) return;
  lock.unlock();  // the log does I/O
  const auto& id = runner.instance.id;
  if (recovered) {
    log::Info("collector recovered", {{"collector", id.collector},
                                      {"instance", id.name},
                                      {"failed_runs", std::to_string(failures)}});
  }
  if (over_budget) {
    log::Warn("collector is over its series budget",
              {{"collector", id.collector},
               {"instance", id.name},
               {"max_series", std::to_string(runner.instance.max_series)},
               {"dropped", std::to_string(runner.batch.dropped())}});
  }
  if (duplicates) {
    log::Warn("collector reports a series twice", {{"collector", id.collector},
                                                   {"instance", id.name},
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
  ++version;
  runner.delivery.Withdraw(runner.started_wall, runner.last_words);
  runner.delivery.Run(runner.instance.id, sinks, lock);
  if (!first) return;
  lock.unlock();
  log::Warn("collector failed", {{"collector", runner.instance.id.collector},
                                 {"instance", runner.instance.id.name},
                                 {"error", error.message()}});
  lock.lock();
}

// A run that was given up has ended after all. What it read is of nobody knows when, and its
// series are unknown since: only last words are still news, as of now.
void Scheduler::Core::CameTooLate(Runner& runner, const Status& status, Lock& lock) {
  ++runner.state.failures_total;
  if (status) {
    runner.batch.Discard();
    return;
  }
  const Timestamp now = clock.Wall();
  runner.last_words = runner.batch.FinishFailure(now);
  ++version;
  runner.delivery.Withdraw(now, runner.last_words);
  runner.delivery.Run(runner.instance.id, sinks, lock);
}

}  // namespace vigia::collectors
