#include "exporter/http/watchdog.h"

#include <pthread.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace vigia::http {
namespace {

constexpr auto kRound = 500ms;  // deadlines are kept to this

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
    wake = std::exchange(watchdog_.idle_, false);
  }
  if (wake) watchdog_.changed_.notify_all();
}

Watchdog::Watch::~Watch() {
  const std::lock_guard lock(watchdog_.mutex_);
  watchdog_.watches_.erase(place_);
}

// Looks twice a second while there is something to watch, which keeps Watch itself cheap: it wakes
// nobody on a busy server.
void Watchdog::Run(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (watches_.empty()) {
      idle_ = true;
      clock_.WaitUntil(lock, changed_, stop, Instant::max(), [&] { return !idle_; });
    }
    clock_.WaitUntil(lock, changed_, stop, clock_.Now() + kRound, [] { return false; });
    CutLate(clock_.Now());
  }
}

// Under the lock, so that none of these connections is closed and its descriptor used anew
// meanwhile; shutdown() does not block.
void Watchdog::CutLate(Instant now) {
  std::vector<SocketName> late;
  for (const Watch* watch : watches_) {
    if (watch->until_ <= now) late.push_back(watch->connection_);
  }
  if (late.empty()) return;
  ShutDownSockets([&](const SocketName& name) {
    return std::find(late.begin(), late.end(), name) != late.end();
  });
}

}  // namespace vigia::http
