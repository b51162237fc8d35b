#include "exporter/http/watchdog.h"

#include <pthread.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace vigia::http {
namespace {

// It looks at least so often. Most watches end long before their deadline, and one with a deadline
// beyond the next look wakes nobody: a busy server does not pay for it.
constexpr auto kRound = 10s;

}  // namespace

Watchdog::Watchdog(Clock& clock)
    : clock_(clock), thread_([this](std::stop_token stop) { Run(std::move(stop)); }) {
  ::pthread_setname_np(thread_.native_handle(), "http-watchdog");
}

Watchdog::Watch::Watch(Watchdog& watchdog, const SocketName& connection, Duration limit)
    : watchdog_(watchdog), connection_(connection), until_(watchdog.clock_.Now() + limit) {
  bool wake = false;
  {
    const std::lock_guard lock(watchdog_.mutex_);
    place_ = watchdog_.watches_.insert(watchdog_.watches_.end(), this);
    wake = until_ < watchdog_.next_look_;
    if (wake) watchdog_.next_look_ = until_;
  }
  if (wake) watchdog_.changed_.notify_all();
}

Watchdog::Watch::~Watch() {
  const std::lock_guard lock(watchdog_.mutex_);
  watchdog_.watches_.erase(place_);
}

void Watchdog::Run(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const Instant look = next_look_ = CutLate(clock_.Now());
    clock_.WaitUntil(lock, changed_, stop, look, [&] { return next_look_ != look; });
  }
}

// Under the lock, so that none of these connections is closed and its descriptor used anew
// meanwhile; shutdown() does not block. A connection that is cut but still watched, because who
// serves it has not noticed yet, is cut again in the next round.
Instant Watchdog::CutLate(Instant now) {
  Instant next = now + kRound;
  std::vector<SocketName> late;
  for (const Watch* watch : watches_) {
    if (watch->until_ <= now) {
      late.push_back(watch->connection_);
    } else {
      next = std::min(next, watch->until_);
    }
  }
  if (late.empty()) return next;
  ShutDownSockets([&](const SocketName& name) {
    return std::find(late.begin(), late.end(), name) != late.end();
  });
  return next;
}

}  // namespace vigia::http
