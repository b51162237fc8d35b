#include "core/clock.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

using namespace vigia;

namespace {

// A thread that waits on a clock once.
class Waiting {
 public:
  Waiting(Clock& clock, Instant until) {
    thread_ = std::jthread([this, &clock, until](std::stop_token stop) {
      std::unique_lock lock(mutex_);
      result_ = clock.WaitUntil(lock, condition_, stop, until, [this] { return ready_; });
      done_ = true;
    });
  }

  void MakeReady() {
    {
      const std::lock_guard lock(mutex_);
      ready_ = true;
    }
    condition_.notify_all();
  }
  void Stop() { thread_.request_stop(); }
  // What WaitUntil returned.
  bool Join() {
    thread_.join();
    return result_;
  }
  bool done() const { return done_; }

 private:
  std::mutex mutex_;
  std::condition_variable_any condition_;
  bool ready_ = false;
  bool result_ = false;
  std::atomic<bool> done_ = false;
  std::jthread thread_;
};

}  // namespace

TEST_CASE("a manual clock moves only when told", "[core]") {
  ManualClock clock(1000);
  const auto start = clock.Now();
  REQUIRE(clock.Wall() == 1000);
  clock.Advance(1500ms);
  REQUIRE(clock.Wall() == 2500);
  REQUIRE(clock.Now() - start == 1500ms);
  clock.JumpWall(-2000ms);
  REQUIRE(clock.Wall() == 500);
  REQUIRE(clock.Now() - start == 1500ms);
}

TEST_CASE("a waiter wakes when the manual clock reaches its instant and not before", "[core]") {
  ManualClock clock;
  Waiting waiting(clock, clock.Now() + 10s);
  clock.AwaitWaiters(1);
  clock.Advance(9s);
  clock.AwaitWaiters(1);
  REQUIRE_FALSE(waiting.done());
  clock.Advance(1s);
  REQUIRE_FALSE(waiting.Join());  // its time came, its condition did not
  REQUIRE(clock.waiters() == 0);
}

TEST_CASE("a waiter wakes when its condition comes or when it is stopped", "[core]") {
  ManualClock clock;
  Waiting ready(clock, clock.Now() + 10s);
  Waiting stopped(clock, clock.Now() + 10s);
  clock.AwaitWaiters(2);
  ready.MakeReady();
  REQUIRE(ready.Join());
  stopped.Stop();
  REQUIRE_FALSE(stopped.Join());
}

TEST_CASE("waiting for an instant that has passed returns at once", "[core]") {
  ManualClock clock;
  Waiting manual(clock, clock.Now());
  REQUIRE_FALSE(manual.Join());
  Waiting real(SystemClock(), SystemClock().Now() - 1s);
  REQUIRE_FALSE(real.Join());
}

TEST_CASE("every waiter that is due wakes however the clock moves", "[core]") {
  ManualClock clock;
  for (int round = 0; round < 50; ++round) {
    Waiting a(clock, clock.Now() + 1s);
    Waiting b(clock, clock.Now() + 2s);
    clock.AwaitWaiters(2);
    clock.Advance(2s);
    REQUIRE_FALSE(a.Join());
    REQUIRE_FALSE(b.Join());
  }
}

TEST_CASE("a deadline passes with its clock", "[core]") {
  ManualClock clock;
  const auto deadline = Deadline::After(clock, 1500us);
  REQUIRE_FALSE(deadline.Passed());
  REQUIRE(deadline.Left() == 2ms);
  clock.Advance(1ms);
  REQUIRE(deadline.Left() == 1ms);
  clock.Advance(500us);
  REQUIRE(deadline.Passed());
  REQUIRE(deadline.Left() == 0ms);
  clock.Advance(1h);
  REQUIRE(deadline.Left() == 0ms);
}

TEST_CASE("the system clock moves forward", "[core]") {
  auto& clock = SystemClock();
  const auto before = clock.Now();
  REQUIRE(clock.Wall() > 1'700'000'000'000);
  REQUIRE(clock.Now() >= before);
}
