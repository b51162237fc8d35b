// The outbox: retries, pace, order, dead letters, and receivers that do not disturb each other.

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "tests/outbox/bench.h"

using namespace vigia;
using namespace vigia::alerting;
using namespace vigia::alerting::outbox;
using namespace vigia::alerting::outbox::test;

TEST_CASE("a notice is tried with one id until it is delivered", "[outbox]") {
  Bench bench({.seed = 1});
  const auto channel = bench.Lane("team", [](const Notice&, std::size_t attempt) {
    return attempt < 4 ? Answer{.kind = kRetry, .text = "HTTP 500"} : Answer{.kind = kDelivered};
  });
  bench.Send(bench.Make("n1", "team", "g"));
  for (std::size_t attempt = 1; attempt < 4; ++attempt) {
    REQUIRE(bench.Await(State::kRetrying, attempt) == attempt);
    bench.clock().AwaitWaiters(1);
    bench.clock().Advance(10s);  // more than 1, 2 and 4 s
  }
  REQUIRE(bench.Await(State::kDelivered, 1) == 1);
  CHECK(channel->ids() == std::vector<std::string>{"n1", "n1", "n1", "n1"});
  CHECK(bench.results().back().attempts == 4);
  CHECK(bench.results().front().answer == "HTTP 500");
  CHECK(bench.box().idle());
}

TEST_CASE("what the receiver asks for is obeyed, by the whole lane", "[outbox]") {
  Bench bench;
  const auto channel = bench.Lane("team", [](const Notice&, std::size_t attempt) {
    if (attempt > 1) return Answer{.kind = kDelivered};
    return Answer{.kind = kRetry, .text = "HTTP 429", .retry_after = Milliseconds(30'000)};
  });
  bench.Send(bench.Make("n1", "team", "g1"));
  REQUIRE(bench.Await(State::kRetrying, 1) == 1);
  CHECK(bench.results().front().next_try == bench.clock().Wall() + 30'000);
  bench.Send(bench.Make("n2", "team", "g2"));
  bench.clock().AwaitWaiters(1);
  bench.clock().Advance(29s);
  const auto letters = bench.box().Letters();
  REQUIRE(letters.size() == 2);
  CHECK(letters[1].held_by == "retry-after");
  CHECK(letters[1].next == Milliseconds(1'000));
  CHECK(channel->ids().size() == 1);
  bench.clock().AwaitWaiters(1);
  bench.clock().Advance(1s);
  REQUIRE(bench.Await(State::kDelivered, 2) == 2);
}

TEST_CASE("a lane keeps to its rate", "[outbox]") {
  Bench bench;
  const auto channel = bench.Lane("chat", nullptr, 1, 2);
  for (const std::string group : {"a", "b", "c", "d"}) bench.Send(bench.Make(group, "chat", group));
  REQUIRE(bench.Await(State::kDelivered, 2) == 2);
  bench.clock().AwaitWaiters(1);
  bench.clock().Advance(900ms);
  CHECK(channel->ids().size() == 2);
  bench.clock().AwaitWaiters(1);
  bench.clock().Advance(100ms);
  REQUIRE(bench.Await(State::kDelivered, 3) == 3);
  CHECK(channel->ids().size() == 3);
  bench.clock().AwaitWaiters(1);
  bench.clock().Advance(1s);
  REQUIRE(bench.Await(State::kDelivered, 4) == 4);
}

TEST_CASE("a receiver that hangs delays no other", "[outbox]") {
  Bench bench({.workers = 2});
  const auto slow = bench.Lane("slow", nullptr);
  slow->Hang(true);
  const auto quick = bench.Lane("quick", nullptr);
  for (int i = 0; i < 10; ++i) bench.Send(bench.Make(std::to_string(i), "slow", std::to_string(i)));
  REQUIRE(slow->Await(2));
  for (int i = 0; i < 10; ++i)
    bench.Send(bench.Make(std::to_string(i), "quick", std::to_string(i)));
  REQUIRE(bench.Await(State::kDelivered, 10) == 10);
  CHECK(quick->ids().size() == 10);
  slow->Hang(false);
  REQUIRE(bench.Await(State::kDelivered, 20) == 20);
}

TEST_CASE("a group's notices go in order, and a later one takes the place of what it covers",
          "[outbox]") {
  Bench bench;
  const auto channel = bench.Lane("team", nullptr);
  channel->Hang(true);
  bench.Send(bench.Make("first", "team", "g"));
  REQUIRE(channel->Await(1));
  bench.Send(bench.Make("repeat", "team", "g"));
  bench.Send(bench.Make("repeat again", "team", "g"));
  bench.Send(bench.Make("end", "team", "g", "A", true));
  CHECK(bench.Await(State::kReplaced, 1) == 1);
  CHECK(bench.results().front().id == "repeat");
  channel->Hang(false);
  REQUIRE(bench.Await(State::kDelivered, 3) == 3);
  CHECK(channel->ids() == std::vector<std::string>{"first", "repeat again", "end"});
}

TEST_CASE("what is rejected or too old becomes a dead letter that can be sent again", "[outbox]") {
  Bench bench({.max_age = Milliseconds(60'000), .seed = 1});
  bool up = false;
  const auto channel = bench.Lane("team", [&](const Notice& notice, std::size_t) {
    if (up) return Answer{.kind = kDelivered};
    return Answer{.kind = notice.id == "bad" ? kRejected : kRetry, .text = "no"};
  });
  bench.Send(bench.Make("bad", "team", "g1"));
  REQUIRE(bench.Await(State::kDead, 1) == 1);
  bench.Send(bench.Make("late", "team", "g2"));
  REQUIRE(bench.Await(State::kRetrying, 1) >= 1);
  bench.clock().AwaitWaiters(1);
  bench.clock().Advance(60s);
  REQUIRE(bench.Await(State::kDead, 2) == 2);
  CHECK(bench.box().idle());
  CHECK(bench.box().Stats()[0].dead == 2);
  up = true;
  CHECK(bench.box().Resend("nothing") == 0);
  CHECK(bench.box().Resend("bad") == 1);
  REQUIRE(bench.Await(State::kDelivered, 1) == 1);
  CHECK(channel->ids().back() == "bad");
  CHECK(bench.box().Resend("") == 1);
  REQUIRE(bench.Await(State::kDelivered, 2) == 2);
  CHECK(bench.box().Letters().empty());
}

TEST_CASE("after failures the fallback receiver gets a copy, once, written down first",
          "[outbox]") {
  Bench bench({.fallback_after = 2, .fallback = "mail", .seed = 1});
  bench.Lane("chat",
             [](const Notice&, std::size_t) { return Answer{.kind = kRetry, .text = "HTTP 503"}; });
  const auto mail = bench.Lane("mail", nullptr);
  bench.Send(bench.Make("n1", "chat", "g"));
  for (std::size_t attempt = 1; attempt <= 4; ++attempt) {
    REQUIRE(bench.Await(State::kRetrying, attempt) >= attempt);
    if (attempt == 1) CHECK(mail->ids().empty());
    bench.clock().AwaitWaiters(1);
    bench.clock().Advance(60s);
  }
  REQUIRE(bench.Await(State::kDelivered, 1) == 1);
  CHECK(mail->ids().size() == 1);
  const auto written = bench.store().written();
  REQUIRE(written.size() == 1);
  CHECK(written[0].id == mail->ids()[0]);
  CHECK(written[0].id != "n1");
  CHECK(written[0].reason == " (receiver chat fails: HTTP 503)");
}

TEST_CASE("a group that changes between the failures reaches the fallback, too", "[outbox]") {
  Bench bench({.fallback_after = 3, .fallback = "mail", .seed = 1});
  bench.Lane("chat",
             [](const Notice&, std::size_t) { return Answer{.kind = kRetry, .text = "HTTP 503"}; });
  const auto mail = bench.Lane("mail", nullptr);
  for (std::size_t attempt = 1; attempt <= 3; ++attempt) {
    CHECK(mail->ids().empty());
    bench.Send(bench.Make("n" + std::to_string(attempt), "chat", "g"));
    REQUIRE(bench.AdvanceUntil(State::kRetrying, attempt));
  }
  REQUIRE(bench.Await(State::kDelivered, 1) == 1);
  CHECK(bench.Await(State::kReplaced, 2) == 2);
  // What is told of a notice counts its own attempts.
  CHECK(bench.results().front().attempts == 1);
  CHECK(bench.box().Letters()[0].attempts == 1);
}

TEST_CASE("a group that changes while an attempt is in flight reaches the fallback, too",
          "[outbox]") {
  Bench bench({.fallback_after = 2, .fallback = "mail", .seed = 1});
  const auto chat = bench.Lane("chat", [](const Notice&, std::size_t) {
    return Answer{.kind = kRetry, .text = "HTTP 503"};
  });
  bench.Lane("mail", nullptr);
  chat->Hang(true);
  bench.Send(bench.Make("n1", "chat", "g"));
  REQUIRE(chat->Await(1));
  auto newer = bench.Make("n2", "chat", "g");
  newer.reason = "newer";
  bench.Send(std::move(newer));
  chat->Hang(false);
  REQUIRE(bench.AdvanceUntil(State::kRetrying, 2));
  REQUIRE(bench.Await(State::kDelivered, 1) == 1);
  CHECK(chat->ids()[1] == "n2");
  CHECK(bench.Await(State::kReplaced, 1) == 1);
  const auto written = bench.store().written();
  REQUIRE(written.size() == 1);
  CHECK(written[0].reason == "newer (receiver chat fails: HTTP 503)");
}

TEST_CASE("a copy for the fallback that the disk did not take is written once it does",
          "[outbox]") {
  Bench bench({.fallback_after = 1, .fallback = "mail", .seed = 1});
  bench.Lane("chat",
             [](const Notice&, std::size_t) { return Answer{.kind = kRejected, .text = "no"}; });
  const auto mail = bench.Lane("mail", [](const Notice&, std::size_t attempt) {
    return Answer{.kind = attempt < 3 ? kRetry : kDelivered, .text = "HTTP 503"};
  });
  bench.store().Break(true);
  bench.Send(bench.Make("n1", "chat", "g"));
  REQUIRE(bench.Await(State::kRetrying, 1) == 1);
  REQUIRE(mail->ids().size() == 1);  // sent all the same
  CHECK(bench.store().written().empty());

  // A second attempt of the copy fails, too; what killed vigia now would lose nothing.
  bench.store().Break(false);
  REQUIRE(bench.AdvanceUntil(State::kRetrying, 2));
  auto written = bench.store().written();
  REQUIRE(written.size() == 1);
  CHECK(written[0].id == mail->ids()[0]);

  const auto commits = bench.store().commits();
  REQUIRE(bench.AdvanceUntil(State::kDelivered, 1));
  bench.box().Stop();
  CHECK(bench.store().commits() == commits);  // once
}

TEST_CASE("a copy that has arrived is not written any more", "[outbox]") {
  Bench bench({.fallback_after = 1, .fallback = "mail", .seed = 1});
  bench.Lane("chat",
             [](const Notice&, std::size_t) { return Answer{.kind = kRejected, .text = "no"}; });
  bench.Lane("mail", nullptr);
  bench.store().Break(true);
  bench.Send(bench.Make("n1", "chat", "g"));
  REQUIRE(bench.Await(State::kDelivered, 1) == 1);
  bench.store().Break(false);
  bench.box().Stop();
  CHECK(bench.store().written().empty());
}

TEST_CASE("a copy that arrives while it is being written does not stay written", "[outbox]") {
  KeptChanges store;
  Copies copies(store);
  const Notice notice{.id = "c1", .key = {"g", "mail", 0}};
  const NoticeResult arrived{.id = "c1", .state = State::kDelivered};
  store.During([&] { copies.Write({}, std::span(&arrived, 1)); });
  copies.Write({notice}, {});
  REQUIRE(store.written().size() == 1);
  REQUIRE(store.results().size() == 1);
  CHECK(store.results()[0].id == "c1");
  const auto commits = store.commits();
  copies.Write({}, {});
  CHECK(store.commits() == commits);
}

TEST_CASE("what was under way goes on after a restart with the same id", "[outbox]") {
  Bench bench;
  const auto channel = bench.Lane("team", nullptr);
  std::vector<dispatch::PendingNotice> pending(2);
  pending[0].notice = bench.Make("n1", "team", "g1");
  pending[0].attempts = 3;
  pending[1].notice = bench.Make("n2", "team", "g2");
  pending[1].dead = true;
  bench.box().Restore(std::move(pending));
  REQUIRE(bench.Await(State::kDelivered, 1) == 1);
  CHECK(channel->ids() == std::vector<std::string>{"n1"});
  CHECK(bench.results().back().attempts == 4);
  REQUIRE(bench.box().Letters().size() == 1);
  CHECK(bench.box().Letters()[0].dead);
}

TEST_CASE("notices of a receiver that is gone are kept as dead letters", "[outbox]") {
  Bench bench;
  bench.Lane("team", nullptr);
  bench.Send(bench.Make("n1", "gone", "g"));
  REQUIRE(bench.Await(State::kDead, 1) == 1);
  CHECK(bench.results().back().answer == "the receiver is not configured");
}

TEST_CASE("beyond max_waiting the oldest dies, also among groups of one notice", "[outbox]") {
  Bench bench({.workers = 1, .max_waiting = 3});
  const auto channel = bench.Lane("team", nullptr);
  channel->Hang(true);
  bench.Send(bench.Make("n0", "team", "g0"));
  REQUIRE(channel->Await(1));
  for (const int i : {1, 2, 3, 4}) {
    bench.clock().Advance(1s);
    const auto number = std::to_string(i);
    bench.Send(bench.Make("n" + number, "team", "g" + number));
  }
  REQUIRE(bench.Await(State::kDead, 2) == 2);
  CHECK(bench.results()[0].id == "n1");
  CHECK(bench.results()[1].id == "n2");
  CHECK(bench.results()[1].answer == "too many notices wait");
  channel->Hang(false);
  REQUIRE(bench.Await(State::kDelivered, 3) == 3);
  CHECK(bench.box().idle());
}

TEST_CASE("5,000 notices at once are delivered within 10 s to a receiver that takes 50 ms",
          "[outbox]") {
  struct Slow final : Channel {
    Answer Attempt(const Notice&, Deadline) override {
      std::this_thread::sleep_for(50ms);
      return {.kind = kDelivered};
    }
  };
  KeptChanges store;
  std::atomic<int> delivered = 0;
  Outbox box(SystemClock(), store, {}, [&](const NoticeResult& result) {
    if (result.state == State::kDelivered) ++delivered;
  });
  box.SetLanes({{{"team", 0}, {.kind = "fake", .channel = std::make_shared<Slow>()}}}, {});
  std::vector<Notice> notices;
  for (int i = 0; i < 5000; ++i) {
    notices.push_back({.id = std::to_string(i), .key = {std::to_string(i), "team", 0}});
  }
  const auto begin = std::chrono::steady_clock::now();
  box.Submit(std::move(notices));
  while (delivered < 5000 && std::chrono::steady_clock::now() - begin < 60s) {
    std::this_thread::sleep_for(20ms);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  INFO(took.count());
  CHECK(delivered == 5000);
  CHECK(took < 10s);
}
