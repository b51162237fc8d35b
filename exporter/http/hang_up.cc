#include "exporter/http/hang_up.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace vigia::http {
namespace {

constexpr auto kRound = 500ms;

}  // namespace

HangUpWatch::HangUpWatch(Clock& clock)
    : clock_(clock), thread_([this](std::stop_token stop) { Run(std::move(stop)); }) {
  ::pthread_setname_np(thread_.native_handle(), "http-hang-up");
}

HangUpWatch::Entry::Entry(HangUpWatch& watch, const SocketName& connection)
    : watch_(watch), connection_(connection) {
  bool wake = false;
  {
    const std::lock_guard lock(watch_.mutex_);
    place_ = watch_.entries_.insert(watch_.entries_.end(), this);
    wake = std::exchange(watch_.idle_, false);
  }
  if (wake) watch_.changed_.notify_all();
}

HangUpWatch::Entry::~Entry() {
  const std::lock_guard lock(watch_.mutex_);
  watch_.entries_.erase(place_);
}

// Looks twice a second while anybody is there, so that an entry is cheap: it wakes nobody on a
// busy server.
void HangUpWatch::Run(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (entries_.empty()) {
      idle_ = true;
      clock_.WaitUntil(lock, changed_, stop, Instant::max(), [&] { return !idle_; });
    }
    clock_.WaitUntil(lock, changed_, stop, clock_.Now() + kRound, [] { return false; });
    auto gone = FindHungUp();
    if (gone.empty()) continue;
    // Whoever waits for the stop may do anything then.
    lock.unlock();
    for (auto& one : gone) one.request_stop();
    lock.lock();
  }
}

// Under the lock, so that none of these connections is closed and its descriptor used anew
// meanwhile; nothing here blocks.
std::vector<std::stop_source> HangUpWatch::FindHungUp() const {
  std::vector<SocketName> connections;
  for (const Entry* one : entries_) {
    if (!one->stop_.stop_requested()) connections.push_back(one->connection_);
  }
  std::vector<std::stop_source> gone;
  if (connections.empty()) return gone;
  const auto hung_up = HungUp(connections);
  for (const Entry* one : entries_) {
    if (std::find(hung_up.begin(), hung_up.end(), one->connection_) != hung_up.end()) {
      gone.push_back(one->stop_);
    }
  }
  return gone;
}

}  // namespace vigia::http
