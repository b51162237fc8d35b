// An outbox whose time moves when a test says so, with channels that answer as they are told.

#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "alerting/outbox/outbox.h"

namespace vigia::alerting::outbox::test {

using dispatch::Notice;
using dispatch::NoticeResult;
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

inline constexpr auto kDelivered = Answer::Kind::kDelivered;
inline constexpr auto kRetry = Answer::Kind::kRetry;
inline constexpr auto kRejected = Answer::Kind::kRejected;

}  // namespace vigia::alerting::outbox::test
