#include "exporter/http/crowd.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace vigia::http {
namespace {

using std::chrono::milliseconds;

// Those that were hung up are on their way out.
constexpr milliseconds kRound(10);
// All are busy, or have come only now.
constexpr milliseconds kPause(20);

}  // namespace

Crowd::Crowd(std::size_t limit, milliseconds patience)
    : limit_(limit),
      patience_(patience),
      thread_([this](std::stop_token stop) { Run(std::move(stop)); }) {
  ::pthread_setname_np(thread_.native_handle(), "http-crowd");
}

void Crowd::Watch(std::vector<int> ports) {
  const std::lock_guard lock(mutex_);
  ports_ = std::move(ports);
}

void Crowd::Begin() {
  bool crowded = false;
  {
    const std::lock_guard lock(mutex_);
    crowded = ++served_ > limit_;
  }
  if (crowded) changed_.notify_all();
}

void Crowd::End() {
  const std::lock_guard lock(mutex_);
  --served_;
}

Crowd::Request::Request(Crowd& crowd, const SocketName& connection) : crowd_(crowd) {
  const std::lock_guard lock(crowd_.mutex_);
  place_ = crowd_.busy_.insert(crowd_.busy_.end(), connection);
}

Crowd::Request::~Request() {
  const std::lock_guard lock(crowd_.mutex_);
  crowd_.busy_.erase(place_);
}

void Crowd::Run(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (!changed_.wait(lock, stop, [this] { return served_ > limit_; })) return;
    if (!MakeRoom()) changed_.wait_for(lock, stop, kPause, [] { return false; });
    changed_.wait_for(lock, stop, kRound, [] { return false; });
  }
}

bool Crowd::MakeRoom() const {
  const auto of_others = [this](const SocketName& name) {
    return std::find(ports_.begin(), ports_.end(), name.local_port) == ports_.end();
  };
  const auto is_busy = [this](const SocketName& name) {
    return std::find(busy_.begin(), busy_.end(), name) != busy_.end();
  };
  std::size_t connections = 0;
  auto idle = IdleSockets([&](const SocketName& name) {
    if (name.remote_port == 0 || of_others(name)) return false;
    ++connections;
    return !is_busy(name);
  });
  std::erase_if(idle, [this](const IdleSocket& one) { return one.since < patience_; });
  const std::size_t excess = connections > limit_ ? connections - limit_ : 0;
  if (idle.size() > excess) {
    std::nth_element(idle.begin(), idle.begin() + static_cast<std::ptrdiff_t>(excess), idle.end(),
                     [](const auto& a, const auto& b) { return a.since > b.since; });
    idle.resize(excess);
  }
  for (const auto& one : idle) ShutDown(one);
  return !idle.empty();
}

}  // namespace vigia::http
