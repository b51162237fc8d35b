// Apart from the other clocks, so that a test can link a program with one of its own
// (tests/e2e/fast).

#include "core/clock.h"

namespace vigia {
namespace {

class OperatingSystemClock final : public Clock {
 public:
  Timestamp Wall() const override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }

  Instant Now() const override { return std::chrono::steady_clock::now(); }

  bool WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable_any& condition,
                 std::stop_token stop, Instant until, const std::function<bool()>& ready) override {
    return condition.wait_until(lock, std::move(stop), until, ready);
  }
};

}  // namespace

Clock& SystemClock() {
  static OperatingSystemClock clock;
  return clock;
}

}  // namespace vigia
