#include "collectors/postgres/watchdog.h"

#include <sys/socket.h>

namespace vigia::collectors::postgres {

void Watchdog::Arm(int socket, Deadline deadline) {
  const std::lock_guard lock(mutex_);
  socket_ = socket;
  at_ = SystemClock().Now() + deadline.Left();
  fired_ = false;
  if (!thread_.joinable()) {
    thread_ = std::jthread([this](std::stop_token stop) { Run(std::move(stop)); });
  } else if (at_ < wakes_at_) {
    changed_.notify_all();
  }
}

bool Watchdog::Disarm() {
  const std::lock_guard lock(mutex_);
  socket_ = -1;
  return fired_;
}

void Watchdog::Run(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (socket_ < 0) {
      wakes_at_ = Instant::max();
      changed_.wait(lock, stop, [this] { return socket_ >= 0; });
      continue;
    }
    const Instant until = wakes_at_ = at_;
    SystemClock().WaitUntil(lock, changed_, stop, until,
                            [&] { return socket_ >= 0 && at_ < until; });
    if (socket_ >= 0 && SystemClock().Now() >= at_) {
      // Under the lock, so that the socket cannot be closed and its number reused meanwhile.
      ::shutdown(socket_, SHUT_RDWR);
      socket_ = -1;
      fired_ = true;
    }
  }
}

}  // namespace vigia::collectors::postgres
