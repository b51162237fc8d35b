// The end of the process, and what it leaves.

#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/outbox/bench.h"

using namespace vigia;
using namespace vigia::alerting::outbox;
using namespace vigia::alerting::outbox::test;

TEST_CASE("the end waits for no attempt that has told nobody anything", "[outbox]") {
  Bench bench;
  const auto channel = bench.Lane("team", [](const Notice&, std::size_t) {
    return Answer{.kind = kRetry, .text = "interrupted"};
  });
  channel->Hang(true);
  bench.Send(bench.Make("1", "team", "g"));
  REQUIRE(channel->Await(1));
  bench.box().Stop();  // returns
  CHECK(bench.Await(State::kRetrying, 1) == 1);
}

TEST_CASE("an attempt that the end interrupts is not held against its receiver", "[outbox]") {
  Bench bench({.max_age = 1h, .fallback_after = 1, .fallback = "mail"});
  const auto chat = bench.Lane("chat", [](const Notice&, std::size_t) {
    return Answer{.kind = kRetry, .text = "interrupted"};
  });
  const auto mail = bench.Lane("mail", nullptr);
  chat->Hang(true);
  bench.Send(bench.Make("n1", "chat", "g"));
  REQUIRE(chat->Await(1));
  bench.clock().Advance(2h);
  bench.box().Stop();
  REQUIRE(bench.Await(State::kRetrying, 1) == 1);
  CHECK(bench.results().back().attempts == 0);
  CHECK(mail->ids().empty());
  CHECK(bench.store().written().empty());  // no copy for the fallback
  REQUIRE(bench.box().Letters().size() == 1);
  CHECK_FALSE(bench.box().Letters()[0].dead);
}

TEST_CASE("the end interrupts attempts that began before a reload, too", "[outbox]") {
  Bench bench;
  const auto interrupted = [](const Notice&, std::size_t) {
    return Answer{.kind = kRetry, .text = "interrupted"};
  };
  const auto before = bench.Lane("team", interrupted);
  before->Hang(true);
  bench.Send(bench.Make("1", "team", "g"));
  REQUIRE(before->Await(1));
  bench.Lane("team", interrupted);  // the same receiver, configured anew
  bool in_time = false;
  std::jthread watchdog([&](std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait_for(lock, stop, 10s, [] { return false; });
    in_time = stop.stop_requested();
    before->Hang(false);
  });
  bench.box().Stop();
  watchdog.request_stop();
  watchdog.join();
  CHECK(in_time);
  CHECK(bench.Await(State::kRetrying, 1) == 1);
}
