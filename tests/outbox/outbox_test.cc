// The outbox: retries, pace, order, dead letters, and receivers that do not disturb each other.

#include "alerting/outbox/outbox.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

using namespace vigia;
using namespace vigia::alerting;
using namespace vigia::alerting::outbox;
using dispatch::Notice;
using dispatch::NoticeResult;

namespace {

using State = NoticeResult::State;

class KeptChanges final : public dispatch::Store {
 public:
  Status Commit(const dispatch::Changes& changes) override {
    const std::lock_guard lock(mutex_);
    ++commits_;
    if (broken_) return Fail(ErrorCode::kUnavailable, "the disk is full");
    for (const auto& notice : changes.notices) written_.push_back(notice);
    for (const auto& result : changes.results) results_.push_back(result);
    if (during_) std::exchange(during_, nullptr)();
    return Ok();
  }
  void Break(bool broken) {
    const std::lock_guard lock(mutex_);
    broken_ = broken;
  }
  // Called once, while the next change is being written.
  void During(std::function<void()> call) {
    const std::lock_guard lock(mutex_);
    during_ = std::move(call);
  }
  std::size_t commits() {
    const std::lock_guard lock(mutex_);
    return commits_;
  }
  std::vector<NoticeResult> results() {
    const std::lock_guard lock(mutex_);
    return results_;
  }
  Result<dispatch::Snapshot> Load() override { return dispatch::Snapshot(); }
  std::vector<Notice> written() {
    const std::lock_guard lock(mutex_);
    return written_;
  }

 private:
  std::mutex mutex_;
  std::vector<Notice> written_;
  std::vector<NoticeResult> results_;
  std::size_t commits_ = 0;
  bool broken_ = false;
  std::function<void()> during_;
};

// Answers as it is told, and keeps what it got.
class FakeChannel final : public Channel {
 public:
  using AnswerFunction = std::function<Answer(const Notice&, std::size_t attempt)>;
  explicit FakeChannel(AnswerFunction answer = nullptr) : answer_(std::move(answer)) {}

  Answer Attempt(const Notice& notice, Deadline) override {
    std::unique_lock lock(mutex_);
    ids_.push_back(notice.id);
    changed_.notify_all();
    changed_.wait(lock, [&] { return !hung_; });
    if (!answer_) return {.kind = Answer::Kind::kDelivered, .text = "ok"};
    return answer_(notice, ids_.size());
  }
  // A hanging attempt has told nobody anything.
  void Interrupt() override { Hang(false); }
  void Hang(bool hung) {
    const std::lock_guard lock(mutex_);
    hung_ = hung;
    changed_.notify_all();
  }
  bool Await(std::size_t attempts) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30),
                             [&] { return ids_.size() >= attempts; });
  }
  std::vector<std::string> ids() {
    const std::lock_guard lock(mutex_);
    return ids_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  const AnswerFunction answer_;
  std::vector<std::string> ids_;
  bool hung_ = false;
};

class Bench {
 public:
  explicit Bench(Outbox::Options options = {})
      : options_(std::move(options)), box_(clock_, store_, options_, [this](NoticeResult result) {
          const std::lock_guard lock(mutex_);
          results_.push_back(std::move(result));
          changed_.notify_all();
        }) {}

  std::shared_ptr<FakeChannel> Lane(const std::string& receiver, FakeChannel::AnswerFunction answer,
                                    double rate = 0, double burst = 1) {
    auto channel = std::make_shared<FakeChannel>(std::move(answer));
    lanes_[{receiver, 0}] = {.kind = "fake", .channel = channel, .rate = rate, .burst = burst};
    box_.SetLanes(lanes_, options_);
    return channel;
  }
  Notice Make(const std::string& id, const std::string& receiver, const std::string& group,
              const std::string& alert = "A", bool ended = false) {
    dispatch::KnownAlert known{.alert = {.labels = Labels{{"alertname", alert}},
                                         .starts_at = 1,
                                         .ends_at = ended ? 2 : Timestamp{1} << 60}};
    known.fingerprint = Fingerprint(known.alert.labels);
    Notice notice{.id = id, .key = {group, receiver, 0}};
    notice.alerts = {std::make_shared<const dispatch::KnownAlert>(known)};
    notice.time = clock_.Wall();
    return notice;
  }
  void Send(Notice notice) { box_.Submit({std::move(notice)}); }
  // Waits for a result of that kind; how many there are then.
  std::size_t Await(NoticeResult::State state, std::size_t count) {
    std::unique_lock lock(mutex_);
    const auto have = [&] {
      return static_cast<std::size_t>(
          std::count_if(results_.begin(), results_.end(),
                        [&](const NoticeResult& result) { return result.state == state; }));
    };
    changed_.wait_for(lock, std::chrono::seconds(30), [&] { return have() >= count; });
    return have();
  }
  // The same, while time goes on.
  bool AdvanceUntil(State state, std::size_t count) {
    const auto have = [&] {
      const auto all = results();
      return static_cast<std::size_t>(std::count_if(
          all.begin(), all.end(), [&](const auto& result) { return result.state == state; }));
    };
    for (int i = 0; i < 3000 && have() < count; ++i) {
      clock_.Advance(1s);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return have() == count;
  }
  std::vector<NoticeResult> results() {
    const std::lock_guard lock(mutex_);
    return results_;
  }
  Outbox& box() { return box_; }
  ManualClock& clock() { return clock_; }
  KeptChanges& store() { return store_; }

 private:
  ManualClock clock_;
  KeptChanges store_;
  Outbox::Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<NoticeResult> results_;
  std::map<LaneId, LaneOptions> lanes_;
  Outbox box_;
};

constexpr auto kDelivered = Answer::Kind::kDelivered;
constexpr auto kRetry = Answer::Kind::kRetry;
constexpr auto kRejected = Answer::Kind::kRejected;

}  // namespace

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

TEST_CASE("the end waits for no attempt that has told nobody anything", "[outbox]") {
  Bench bench;
  const auto channel = bench.Lane("team", [](const Notice&, std::size_t) {
    return Answer{.kind = Answer::Kind::kRetry, .text = "interrupted"};
  });
  channel->Hang(true);
  bench.Send(bench.Make("1", "team", "g"));
  REQUIRE(channel->Await(1));
  bench.box().Stop();  // returns
  CHECK(bench.Await(NoticeResult::State::kRetrying, 1) == 1);
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
