// The clock of vigia_fast: it runs sixty times as fast as that of the operating system, from the
// time of the start on. It stands in for SystemClock() of core/system_clock.cc, of which the linker
// then takes nothing; all else is the program as it is.
//
// What does not ask a Clock goes on in real time: limits that curl, SQLite and civetweb watch over.

#include "core/clock.h"

#include <utility>

namespace vigia {
namespace {

constexpr int kSpeed = 60;

class FastClock final : public Clock {
 public:
  Timestamp Wall() const override {
    return wall_ + std::chrono::duration_cast<std::chrono::milliseconds>(Now() - start_).count();
  }

  Instant Now() const override {
    return start_ + kSpeed * (std::chrono::steady_clock::now() - start_);
  }

  bool WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable_any& condition,
                 std::stop_token stop, Instant until, const std::function<bool()>& ready) override {
    return condition.wait_until(lock, std::move(stop), start_ + (until - start_) / kSpeed, ready);
  }

 private:
  const Instant start_ = std::chrono::steady_clock::now();
  const Timestamp wall_ = std::chrono::duration_cast<std::chrono::milliseconds>(
                              std::chrono::system_clock::now().time_since_epoch())
                              .count();
};

}  // namespace

Clock& SystemClock() {
  static FastClock clock;
  return clock;
}

}  // namespace vigia
