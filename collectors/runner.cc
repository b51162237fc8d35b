#include "collectors/runner.h"

#include <algorithm>
#include <utility>

namespace vigia::collectors {
namespace {

// After so many failed runs in a row scrapes no longer start an instance; its own ticks go on,
// so a source that returns is seen within one interval.
constexpr int kFailuresBeforeBackoff = 3;

}  // namespace

Runner::Runner(Instance i)
    : instance(std::move(i)),
      id(std::make_shared<const InstanceId>(instance.id)),
      batch({.constant_labels = instance.constant_labels, .budget = instance.max_series}),
      brief(instance.brief) {
  state.id = instance.id;
  state.interval = instance.interval;
  state.timeout = instance.timeout;
}

bool Runner::Matches(const Instance& other) const {
  return instance.id == other.id && instance.worker == other.worker &&
         instance.fingerprint == other.fingerprint;
}

bool Runner::WantsScrape(Instant now) const {
  if (running || requested || failures_in_row >= kFailuresBeforeBackoff) return false;
  return !state.has_run || now - started > instance.interval / 2;
}

bool Runner::WorthWaiting(Milliseconds scrape_wait) const {
  return state.duration_seconds <= std::chrono::duration<double>(scrape_wait).count();
}

bool Runner::IsLate(Instant now) const {
  if (expired) return false;
  if (running) return now >= started + instance.timeout;
  return reading && now >= started + kMaxAgeIntervals * instance.interval;
}

void Runner::ReleaseWaits() {
  for (Wait* wait : waits) {
    if (--wait->remaining == 0) wait->done.notify_all();
  }
  waits.clear();
}

bool Worker::AllBrief() const {
  return std::all_of(runners.begin(), runners.end(), [](auto& r) { return r->brief; });
}

bool Worker::AnyRequested() const {
  return std::any_of(runners.begin(), runners.end(), [](auto& r) { return r->requested; });
}

bool Worker::BusySince(Instant instant) const {
  return std::any_of(runners.begin(), runners.end(),
                     [&](auto& r) { return r->running && r->started <= instant; });
}

std::shared_ptr<Runner> Worker::NextRequested(Milliseconds quick) const {
  std::shared_ptr<Runner> slow;
  for (const auto& runner : runners) {
    if (!runner->requested) continue;
    if (runner->WorthWaiting(quick)) return runner;
    if (!slow) slow = runner;
  }
  return slow;
}

std::shared_ptr<Runner> Worker::Next(Instant now, Milliseconds quick) const {
  if (auto runner = NextRequested(quick)) return runner;
  for (const auto& runner : runners) {
    if (runner->due <= now) return runner;
  }
  return nullptr;
}

Milliseconds Worker::ShortestInterval() const {
  Milliseconds shortest = Milliseconds::max();
  for (const auto& runner : runners) shortest = std::min(shortest, runner->instance.interval);
  return shortest;
}

Instant Worker::EarliestDue() const {
  Instant earliest = Instant::max();
  for (const auto& runner : runners) earliest = std::min(earliest, runner->due);
  return earliest;
}

}  // namespace vigia::collectors
